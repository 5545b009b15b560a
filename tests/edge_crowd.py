"""A crowd in virtual time: more people than can be served, who come late, or never, or again and again."""

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from edge.line.estimate import retry_after_s
from edge.line.line import ClaimOutcome, Line
from edge.line.room import Picture, Spot

START = 1_800_000_000_000_000
STEP_US = 200_000

Delay = Callable[[Random], float]


def soon(chance: Random) -> float:
    """Everybody looks within five seconds."""
    return chance.uniform(0.1, 5)


def with_a_tail(chance: Random) -> float:
    """One in five comes only after ten seconds or more, up to the end of the call window."""
    return chance.uniform(10, 29) if chance.random() < 0.2 else chance.uniform(0.1, 4)


@dataclass
class People:
    """Those in one lane: the share that never comes, at a second since the start, and how long the others take."""

    no_shows: Callable[[float], float]
    delay: Delay = soon
    called: int = 0
    admitted: Counter[int] = field(default_factory=Counter)  # by second

    def tokens(self, begin_s: int, end_s: int) -> int:
        """Tokens issued to them in [begin_s, end_s)."""
        return sum(count for second, count in self.admitted.items() if begin_s <= second < end_s)


def steadily(no_shows: float, delay: Delay = soon) -> People:
    """People whose habits do not change."""
    return People(lambda _: no_shows, delay)


class Crowd:
    """All lanes' people; whoever is told to wait for a token comes again when the edge would have said."""

    def __init__(self, room: Line, lanes: Sequence[People], seed: int = 1) -> None:
        self.room = room
        self.lanes = lanes
        self.us = 0
        self.chance = Random(seed)
        self.coming: list[tuple[float, Spot]] = []
        self.looks: list[Picture] = []

    @property
    def now(self) -> int:
        return START + self.us

    async def join(self, visitors: Sequence[int]) -> None:
        """Line up so many people in each lane."""
        joins, _ = await self.room.join(visitors, self.now)
        assert {each.refused for each in joins} == {""}

    async def live(self, seconds: float) -> Picture:
        """Let so much time pass; return how the room is then."""
        end = self.us + round(seconds * 1_000_000)
        while self.us < end:
            self.us += STEP_US
            await self.turn()
        return self.looks[-1]

    async def turn(self) -> None:
        """Who is due claims; who was called sets out."""
        here = []
        while self.coming and self.coming[0][0] <= self.us / 1e6:
            here.append(heapq.heappop(self.coming)[1])
        outcomes, picture = await self.claim(here)
        for spot, outcome in zip(here, outcomes, strict=True):
            if outcome == "admitted":
                self.lanes[spot.lane].admitted[(self.us - 1) // 1_000_000] += 1
            else:
                assert outcome == "paced", outcome
                self.come(spot, self.retry_s(spot.lane, picture))
        self.looks.append(picture)
        self.set_out(picture)

    async def claim(self, here: Sequence[Spot]) -> tuple[Sequence[ClaimOutcome], Picture]:
        """Let who is here claim together; nobody is like a look."""
        if here:
            return await self.room.claim(here, self.now)
        return (), (await self.room.look([], self.now))[1]

    def set_out(self, picture: Picture) -> None:
        for index, (lane, people) in enumerate(zip(picture.lanes, self.lanes, strict=True)):
            absent = people.no_shows(self.us / 1e6)
            for place in range(people.called + 1, lane.called + 1):
                if self.chance.random() >= absent:
                    self.come(Spot(index, place, place), people.delay(self.chance))
            people.called = lane.called

    def come(self, spot: Spot, after_s: float) -> None:
        """Have somebody claim after so many seconds."""
        heapq.heappush(self.coming, (self.us / 1e6 + after_s, spot))

    def retry_s(self, lane: int, picture: Picture) -> float:
        """Seconds until whoever is paced comes again: what the edge says, and a quarter more at most, like the page."""
        seen = picture.lanes[lane]
        part = seen.share or picture.rate
        told = retry_after_s(seen.backlog, rate_per_s=part, open_now=picture.flows, spread=self.chance.random())
        return told * self.chance.uniform(1, 1.25)
