"""Random histories of a room of two lanes, its opening and bypass moved about: both buckets and both orders hold."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from edge.line.line import Line
from edge.line.room import Picture, Setting
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_crowd import START
from tests.edge_world import line, spots
from tests.store.steps import Lose, Rush, Set, Sleep

pytestmark = ON_SINGLE_AND_CLUSTER

LANES: list[dict[str, Any]] = [
    {"lane": "general", "weight": 3},
    {"lane": "passes", "access": "pass", "floor_per_s": 2.0},
]


@dataclass(frozen=True)
class Join:
    edge: int
    visitors: tuple[int, int]


@dataclass(frozen=True)
class Claim:
    edge: int
    lane: int
    first: float  # where among the joined places, 0 to 1
    places: int


@dataclass(frozen=True)
class Move:
    """The opening is moved to so many µs from now."""

    edge: int
    by_us: int


Step = Sleep | Join | Claim | Rush | Set | Move | Lose


def _one(name: str, *values: Setting) -> st.SearchStrategy[dict[str, Setting]]:
    return st.sampled_from([{name: value} for value in values])


_edges = st.integers(0, 1)
_sleeps = st.builds(Sleep, st.one_of(st.integers(0, 400_000), st.integers(0, 20_000_000)))
_claims = st.builds(Claim, _edges, st.integers(0, 1), st.floats(0, 1), st.integers(1, 60))
_changes = st.one_of(
    _one("rate", 2.0, 7.3, 50.0, 400.0),
    _one("burst", 1, 4, 30),
    _one("state", "open", "open", "paused"),
    _one("1.weight", 0.5, 9.0),
    _one("2.floor", 0.0, 2.0, 30.0),
    _one("bypass_rate", 0.0, 1.5, 20.0),
    _one("bypass_burst", 1, 5),
)
_steps = st.one_of(
    _sleeps,
    _sleeps,
    st.builds(Join, _edges, st.tuples(st.integers(0, 60), st.integers(0, 60))),
    _claims,
    st.builds(Rush, st.integers(2, 12), st.integers(1_000, 700_000)),
    st.builds(Rush, st.integers(2, 12), st.integers(1_000, 700_000)),
    st.builds(Set, _edges, _changes),
    st.builds(Move, _edges, st.sampled_from([-1_000_000, 500_000, 8_000_000])),
    st.just(Lose()),
)


@dataclass
class Bucket:
    """What may have flowed in, and what came out when: for each token the inflow and burst by then."""

    rate: float
    burst: int
    inflow: float = 0.0
    issued: list[tuple[float, int]] = field(default_factory=list)

    def check(self) -> None:
        """A1 between any two tokens."""
        for first, (inflow, burst) in enumerate(self.issued):
            for tokens, (later, _) in enumerate(self.issued[first:], 1):
                assert tokens <= later - inflow + burst + 1e-6


@dataclass
class World:
    """Two edges on one store, and everything that has been seen."""

    store: Redis
    edges: list[Line]
    now: int = START
    opens: int = START
    is_open: bool = True
    joined: list[int] = field(default_factory=lambda: [0, 0])
    called: list[int] = field(default_factory=lambda: [0, 0])
    admitted: tuple[set[int], set[int]] = field(default_factory=lambda: (set(), set()))
    first: Bucket = field(default_factory=lambda: Bucket(5.0, 10))
    second: Bucket = field(default_factory=lambda: Bucket(0.0, 1))
    bypassed: int = 0

    async def take(self, step: Step) -> None:
        match step:
            case Sleep(us):
                self.sleep(us)
            case Join(edge, visitors):
                await self.join(self.edges[edge], visitors)
            case Claim(edge, lane, first, places):
                begin = 1 + round(first * self.joined[lane])
                wanted = [*range(begin, min(begin + places, self.joined[lane] + 1))]
                await self.claim(self.edges[edge], lane, wanted)
            case Rush(rounds, every_us):
                await self.rush(rounds, every_us)
            case Set(edge, change):
                await self.change(self.edges[edge], change)
            case Move(edge, by_us):
                self.opens = self.now + by_us
                self.see(await self.edges[edge].change({"opens": self.opens, "prequeue": START}, now_us=self.now))
            case Lose():
                await self.lose()

    async def rush(self, rounds: int, every_us: int) -> None:
        for turn in range(rounds):
            self.sleep(every_us)
            for lane in (turn % 2, 1 - turn % 2):
                everybody = set(range(1, self.joined[lane] + 1))
                await self.claim(self.edges[turn % 2], lane, sorted(everybody - self.admitted[lane])[:60])

    def sleep(self, us: int) -> None:
        open_us = max(0, self.now + us - max(self.now, self.opens)) if self.is_open else 0
        self.now += us
        for bucket in (self.first, self.second):
            bucket.inflow += open_us / 1e6 * bucket.rate

    async def join(self, edge: Line, visitors: tuple[int, int]) -> None:
        joins, picture = await edge.join(visitors, self.now)
        for lane, (joined, number) in enumerate(zip(joins, visitors, strict=True)):
            assert joined.first == self.joined[lane] + 1, "a number was given twice, or left out"
            self.joined[lane] += number
        self.see(picture)

    async def claim(self, edge: Line, lane: int, places: list[int]) -> None:
        if not places:
            return
        outcomes, picture = await edge.claim(spots(places, lane), self.now)
        self.see(picture)
        came = {place for place, outcome in zip(places, outcomes, strict=True) if outcome == "admitted"}
        assert all(place <= picture.lanes[lane].called for place in came), "a place was admitted before its call"
        assert came.isdisjoint(self.admitted[lane]), "a place took two tokens"
        self.admitted[lane].update(came)
        bucket = self.second if picture.bypassed > self.bypassed else self.first
        assert picture.bypassed - self.bypassed in {0, len(came)}
        assert bucket is self.first or lane == 1, "only who holds a pass may pass by"
        self.bypassed = picture.bypassed
        bucket.issued += [(bucket.inflow, bucket.burst)] * len(came)

    async def change(self, edge: Line, change: dict[str, Setting]) -> None:
        self.see(await edge.change(change, now_us=self.now))
        self.first.rate = float(change.get("rate", self.first.rate))
        self.first.burst = int(change.get("burst", self.first.burst))
        self.second.rate = float(change.get("bypass_rate", self.second.rate))
        self.second.burst = int(change.get("bypass_burst", self.second.burst))
        self.is_open = change.get("state", "open" if self.is_open else "paused") == "open"

    async def lose(self) -> None:
        await self.store.flushall()
        for admitted in self.admitted:
            admitted.clear()
        self.bypassed = 0
        for edge in self.edges:
            await edge.look([], self.now)
        picture = await self.edges[0].install(self.now)
        self.see(picture)
        restored = (picture.rate, picture.burst, picture.bypass_rate, picture.bypass_burst)
        assert restored == (self.first.rate, self.first.burst, self.second.rate, self.second.burst)

    def see(self, picture: Picture) -> None:
        for lane, seen in enumerate(picture.lanes):
            assert self.called[lane] <= seen.called <= seen.joined == self.joined[lane]
            self.called[lane] = seen.called
        assert picture.tokens <= picture.burst, "more is banked than the burst"


# Crowds that were called far ahead of the tokens: then nothing but the buckets hold them back.
_CROWD: list[Step] = [
    Set(0, {"rate": 400.0}),
    Join(0, (200, 200)),
    Sleep(999_999),
    Rush(1, 0),
    Set(0, {"rate": 5.0}),
]


@settings(max_examples=120, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(crowd=st.booleans(), steps=st.lists(_steps, min_size=5, max_size=50))
async def test_no_history_of_lanes_breaks_a_bucket_or_an_order(valkey: Redis, crowd: bool, steps: list[Step]) -> None:
    await valkey.flushall()
    edges = [line(valkey, rate_per_s=5.0, burst=10, lanes=LANES) for _ in range(2)]
    world = World(valkey, edges)
    for step in [Join(0, (30, 30)), *(_CROWD if crowd else ()), *steps]:
        await world.take(step)
    world.first.check()
    world.second.check()
