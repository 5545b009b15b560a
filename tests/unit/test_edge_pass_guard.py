"""Who may stand in a lane that asks for a pass: each refusal has its code, is counted, and uses nothing up."""

import pytest

from edge.guard.once import Mark, Spent
from edge.guard.pass_guard import PassGuard, PassOutcome
from edge.guard.passes import Passes
from edge.guard.revoked import Revoked
from edge.line.line import StoreUnavailable
from shared.problem import Problem
from tests.edge_world import TICKET_KEYS, Failures

BATCH = "K7Q2M9XD"
PASSES = Passes(TICKET_KEYS)
GOOD = PASSES.issue("demo", "health", BATCH, 17)


class Notebook(Spent):
    """Writes down what was spent."""

    def __init__(self, *, is_away: bool = False) -> None:
        super().__init__(None, "demo", "passes", Failures(), keep_s=1)  # type: ignore[arg-type]  # no store is asked
        self.marks: list[Mark] = []
        self.is_away = is_away

    async def spend(self, mark: Mark) -> bool:
        if self.is_away:
            raise StoreUnavailable
        self.marks.append(mark)
        return self.marks.count(mark) == 1

    async def give_back(self, mark: Mark) -> None:
        self.marks.remove(mark)


class World:
    def __init__(self, *, is_away: bool = False) -> None:
        self.spent = Notebook(is_away=is_away)
        self.outcomes: list[PassOutcome] = []
        self.guard = PassGuard("demo", ("health", "chronic"), PASSES, self.spent, self.outcomes.append)

    async def refusal(self, text: str | None, revoked: Revoked | None = None) -> tuple[int, dict[str, object]]:
        with pytest.raises(Problem) as refused:
            await self.guard.admit(text, revoked or Revoked(), 1)
        body = refused.value.body()
        return refused.value.kind.status, {name: body.get(name) for name in ("code", "reason")}


@pytest.fixture
def world() -> World:
    return World()


async def test_a_good_pass_opens_its_lane_once(world: World) -> None:
    found = await world.guard.admit(GOOD.lower(), Revoked(), 1)
    assert (found.lane, found.ticket_id) == ("health", PASSES.open(GOOD, "demo", ["health"]).ticket_id)
    assert await world.refusal(GOOD) == (409, {"code": "pass_used", "reason": "used"})
    assert world.outcomes == ["accepted", "used"]


@pytest.mark.parametrize("text", [None, "", " \n"])
async def test_no_pass_is_missing(world: World, text: str | None) -> None:
    assert await world.refusal(text) == (422, {"code": "pass_missing", "reason": "missing"})
    assert (world.outcomes, world.spent.marks) == (["missing"], [])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("K7Q2", "malformed"),
        (GOOD[:-1] + ("0" if GOOD[-1] != "0" else "1"), "bad_signature"),
        (PASSES.issue("demo", "general", BATCH, 17), "bad_signature"),
        (PASSES.issue("other", "health", BATCH, 17), "bad_signature"),
    ],
)
async def test_what_is_no_pass_of_this_room_is_refused_with_its_reason(world: World, text: str, reason: str) -> None:
    assert await world.refusal(text) == (403, {"code": "pass_refused", "reason": reason})
    assert (world.outcomes, world.spent.marks) == ([reason], [])


@pytest.mark.parametrize("revoked", [Revoked().with_(BATCH, None), Revoked().with_(BATCH, [17])])
async def test_a_revoked_pass_is_refused_and_not_used_up(world: World, revoked: Revoked) -> None:
    assert await world.refusal(GOOD, revoked) == (403, {"code": "pass_revoked", "reason": "revoked"})
    assert world.spent.marks == []
    await world.guard.admit(GOOD, revoked.without(BATCH), 1)
    assert world.outcomes == ["revoked", "accepted"]


async def test_another_number_of_a_batch_is_not_revoked_along(world: World) -> None:
    await world.guard.admit(GOOD, Revoked().with_(BATCH, [16, 18]), 1)


async def test_a_pass_that_brought_no_place_is_good_again(world: World) -> None:
    found = await world.guard.admit(GOOD, Revoked(), 1)
    await world.guard.give_back(found, 1)
    assert await world.guard.admit(GOOD, Revoked(), 1) == found
    assert world.outcomes == ["accepted", "given_back", "accepted"]


async def test_a_new_line_takes_the_passes_of_an_old_one_for_the_same_ticket(world: World) -> None:
    assert await world.guard.admit(GOOD, Revoked(), 1) == await world.guard.admit(GOOD, Revoked(), 2)


async def test_nobody_gets_in_by_a_pass_while_the_store_is_away() -> None:
    world = World(is_away=True)
    with pytest.raises(StoreUnavailable):
        await world.guard.admit(GOOD, Revoked(), 1)
    assert world.outcomes == []
