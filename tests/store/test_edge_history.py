"""Random histories of a room on a real store, in virtual time: what must hold at every step and between any two."""

from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from edge.line.line import Healing, Line
from edge.line.room import Picture, Setting
from tests.conftest import ON_SINGLE_AND_CLUSTER
from tests.edge_world import line, spots
from tests.store.steps import Lose, Rush, Set, Sleep

pytestmark = ON_SINGLE_AND_CLUSTER

START = 1_800_000_000_000_000


@dataclass(frozen=True)
class Join:
    edge: int
    visitors: int


@dataclass(frozen=True)
class Claim:
    edge: int
    first: float  # where among the joined places, 0 to 1
    places: int


@dataclass(frozen=True)
class Look:
    edge: int
    at: float


@dataclass(frozen=True)
class Leave:
    edge: int
    first: float
    places: int


Step = Sleep | Join | Claim | Rush | Look | Leave | Set | Lose

_edges = st.integers(0, 1)
_share = st.floats(0, 1)
_sleeps = st.builds(Sleep, st.one_of(st.integers(0, 400_000), st.integers(0, 90_000_000)))
_claims = st.builds(Claim, _edges, _share, st.integers(1, 60))
_changes = st.builds(
    Set,
    _edges,
    st.one_of(
        st.builds(lambda rate: {"rate": rate}, st.sampled_from([0.5, 1.0, 7.3, 50.0, 400.0])),
        st.builds(lambda burst: {"burst": burst}, st.integers(1, 30)),
        st.builds(lambda state: {"state": state}, st.sampled_from(["open", "open", "paused"])),
    ),
)
_steps = st.one_of(
    _sleeps,
    st.builds(Join, _edges, st.integers(1, 80)),
    _claims,
    _claims,
    st.builds(Look, _edges, _share),
    st.builds(Rush, st.integers(2, 12), st.integers(1_000, 700_000)),
    st.builds(Leave, _edges, _share, st.integers(1, 30)),
    _changes,
    st.just(Lose()),
)


@dataclass
class World:
    """Two edges on one store, and everything that has been seen."""

    store: Redis
    edges: list[Line]
    now: int = START
    rate: float = 5.0
    burst: int = 10
    open: bool = True
    places: set[int] = field(default_factory=set)
    last_place: int = 0
    left: set[int] = field(default_factory=set)
    admitted: set[int] = field(default_factory=set)
    called: int = 0
    inflow: float = 0.0  # tokens the room may have made since the start
    # For every admission: inflow before it, burst in force, admissions before it.
    issued: list[tuple[float, int, int]] = field(default_factory=list)

    async def take(self, step: Step) -> None:
        match step:
            case Sleep(us):
                self.now += us
                self.inflow += us / 1e6 * self.rate if self.open else 0
            case Rush(rounds, every_us):
                for turn in range(rounds):
                    await self.take(Sleep(every_us))
                    await self.claim(self.edges[turn % 2], sorted(self.places - self.admitted)[:60])
            case Set(edge, change):
                await self.change(self.edges[edge], change)
            case Lose():
                await self.lose()
            case _:
                await self.visit(self.edges[step.edge], step)

    async def visit(self, edge: Line, step: Join | Claim | Look | Leave) -> None:
        match step:
            case Join(_, visitors):
                await self.join(edge, visitors)
            case Claim(_, first, places):
                await self.claim(edge, self.some(first, places))
            case Look(_, at):
                await self.look(edge, self.some(at, 1)[0])
            case Leave(_, first, places):
                given_back = self.some(first, places)
                self.see(await edge.leave(spots(given_back), self.now))
                self.left |= set(given_back)

    async def change(self, edge: Line, change: dict[str, Setting]) -> None:
        self.see(await edge.change(change, now_us=self.now))
        self.rate = float(change.get("rate", self.rate))
        self.burst = int(change.get("burst", self.burst))
        self.open = change.get("state", "open" if self.open else "paused") == "open"

    def some(self, first: float, places: int) -> list[int]:
        known = sorted(self.places)
        begin = round(first * (len(known) - 1))
        return known[begin : begin + places]

    async def join(self, edge: Line, visitors: int) -> None:
        [joins], picture = await edge.join([visitors], self.now)
        first = joins.first
        self.see(picture)
        assert first > self.last_place, "a place was given twice, or out of order"
        self.places |= set(range(first, first + visitors))
        self.last_place = first + visitors - 1

    async def claim(self, edge: Line, places: list[int]) -> None:
        if not places:
            return
        outcomes, picture = await edge.claim(spots(places), self.now)
        self.see(picture)
        for place, outcome in zip(places, outcomes, strict=True):
            match outcome:
                case "admitted":
                    assert place not in self.left, "a place that was given back was admitted"
                    assert place <= picture.called, "a place was admitted before its call"
                    self.admitted.add(place)
                    self.issued.append((self.inflow, self.burst, len(self.issued)))
                case "again" | "spent":
                    assert place in self.admitted
                case "waiting":
                    assert place > picture.called

    async def look(self, edge: Line, place: int) -> None:
        [standing], picture = await edge.look(spots([place]), self.now)
        self.see(picture)
        if standing in {"waiting", "called"}:
            assert (standing == "called") == (place <= picture.called)

    async def lose(self) -> None:
        await self.store.flushall()
        self.left.clear()  # what one bit said is lost; places, calls and the meter are not
        # While the line heals every edge looks, and either may be the one that knows the newest settings.
        for edge in self.edges[:: -1 if self.last_place % 2 else 1]:
            _, picture = await edge.look([], self.now)
        picture = await self.edges[0].install(self.now)
        now = (picture.rate, picture.burst, picture.state == "open")
        assert now == (self.rate, self.burst, self.open), "the store was restored with old settings"

    def see(self, picture: Picture) -> None:
        assert picture.called >= self.called, "somebody who was called no longer is"
        assert picture.called <= picture.joined
        assert picture.tokens <= picture.burst, "more is banked than the burst"
        self.called = picture.called

    def check_rate(self) -> None:
        """A1 and A3, between any two admissions: tokens ≤ what flowed in while open + the burst at its beginning."""
        for start, (inflow, burst, before) in enumerate(self.issued):
            for later_inflow, _, later_before in self.issued[start:]:
                tokens = later_before - before + 1
                assert tokens <= later_inflow - inflow + burst + 1e-6


# A crowd that was called far ahead of the tokens: then nothing but the token meter holds it back.
_CROWD: list[Step] = [
    Set(0, {"rate": 400.0}),
    Join(0, 200),
    Sleep(999_999),
    Look(1, 0.0),
    Set(0, {"rate": 5.0}),
]


@settings(max_examples=200, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(crowd=st.booleans(), steps=st.lists(_steps, min_size=5, max_size=60))
async def test_no_history_breaks_the_rate_or_the_order(valkey: Redis, crowd: bool, steps: list[Step]) -> None:
    await valkey.flushall()
    world = World(valkey, [line(valkey, rate_per_s=5.0, burst=10) for _ in range(2)])
    for step in [Join(0, 40), *(_CROWD if crowd else ()), *steps]:
        await world.take(step)
    world.check_rate()


@settings(max_examples=30, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rate=st.sampled_from([0.5, 3.0, 50.0, 900.0]), burst=st.integers(1, 40), idle_s=st.integers(0, 100_000))
async def test_an_idle_room_banks_its_burst_and_no_more(valkey: Redis, rate: float, burst: int, idle_s: int) -> None:
    await valkey.flushall()
    room = line(valkey, rate_per_s=rate, burst=burst)
    await room.install(START)
    now = START + idle_s * 1_000_000
    [joins], _ = await room.join([1000], now)
    outcomes, picture = await room.claim(spots(range(joins.first, joins.first + 1000)), now)
    expected = min(burst, int(idle_s * rate + 1e-9))
    assert outcomes.count("admitted") == expected
    assert picture.called <= max(burst, 1), "an idle room calls a burst at once, not the crowd"


async def test_a_paused_room_banks_nothing(valkey: Redis) -> None:
    room = line(valkey, rate_per_s=10.0, burst=100)
    await room.install(START)
    await room.join([500], START)
    await room.change({"state": "paused"}, now_us=START)
    later = START + 3_600_000_000
    picture = await room.change({"state": "open"}, now_us=later)
    assert picture.tokens == 0
    assert picture.called == 0
    outcomes, picture = await room.claim(spots(range(1, 501)), later + 1_000_000)
    assert outcomes.count("admitted") == 10


async def test_a_pause_admits_nobody_and_keeps_the_turns(valkey: Redis) -> None:
    room = line(valkey, rate_per_s=10.0, burst=5)
    await room.install(START)
    await room.join([5], START + 1_000_000)
    await room.change({"state": "paused"}, now_us=START + 1_000_000)
    outcomes, _ = await room.claim(spots([1, 2]), START + 60_000_000)
    assert outcomes == ["paced", "paced"]
    await room.change({"state": "open"}, now_us=START + 60_000_000)
    outcomes, _ = await room.claim(spots([1, 2]), START + 60_000_000)
    assert outcomes == ["admitted", "admitted"]


async def test_a_lower_rate_does_not_turn_waiting_time_into_tokens(valkey: Redis) -> None:
    room = line(valkey, rate_per_s=1.0, burst=1000)
    await room.install(START)
    await room.join([1000], START)
    later = START + 10_000_000
    picture = await room.change({"rate": 100.0}, now_us=later)
    assert picture.tokens == 10, "ten seconds passed at one token a second"


async def test_a_restored_store_gives_no_place_out_until_every_edge_has_spoken(valkey: Redis) -> None:
    one, two = line(valkey, heal_s=1), line(valkey, heal_s=1)
    await one.install(START)
    await two.install(START)
    now = START + 2_000_000
    await one.join([100], now)
    await valkey.flushall()
    # Edge two has seen none of the hundred; alone it would give place 1 out again.
    try:
        await two.join([1], now)
    except Healing:
        pass
    else:
        raise AssertionError("a place was given out while the line was being restored")
    await one.look([], now + 150_000)
    [joins], _ = await two.join([1], now + 1_100_000)
    assert joins.first == 101


async def test_the_newest_settings_win_whoever_restores_the_store_first(valkey: Redis) -> None:
    knows, does_not = line(valkey, heal_s=1), line(valkey, heal_s=1)
    await knows.install(START)
    await does_not.install(START)
    await knows.change({"rate": 2.0, "state": "paused", "reason": "snow"}, now_us=START + 2_000_000)
    await valkey.flushall()
    restored = START + 3_000_000
    assert (await does_not.install(restored)).state == "open", "all it has seen is the rooms file"
    await knows.look([], restored + 500_000)
    _, picture = await does_not.look([], restored + 600_000)
    assert (picture.rate, picture.state, picture.reason) == (2.0, "paused", "snow")
    assert picture.tokens == 0, "what flowed in at the forgotten rate is thrown away"
    await valkey.flushall()
    picture = await does_not.install(restored + 700_000)
    assert (picture.rate, picture.state) == (2.0, "paused"), "it has learnt them by now"
