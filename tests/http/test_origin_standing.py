"""What a decision is worth, and for how long: with its audit row or not at all, in the session, in a booking."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from origin.booking.store import Attempt, BookingStore, Result
from origin.db.sql import Connection
from origin.eligibility.facts import FactsLost
from origin.eligibility.store import NewDecision
from tests import origin_world
from tests.origin_browser import Browser
from tests.origin_world import ADULT, SENIOR, Origin
from tests.rules_world import Officials, from_age

CHANGED = "rules have changed since you answered"


class Trips(BookingStore):
    """Counts the round trips of bookings."""

    made = 0

    async def book(self, connection: Connection, attempts: Sequence[Attempt]) -> list[Result]:
        self.made += 1
        return await super().book(connection, attempts)


@pytest.fixture
def trips() -> Trips:
    return Trips()


@pytest.fixture
async def origin(database_url: str, tmp_path: Path, trips: Trips) -> AsyncIterator[Origin]:
    async with origin_world.origin(database_url, tmp_path, store=trips) as made:
        yield made


@pytest.mark.parametrize("table", ["audit_event", "decision"])
async def test_a_decision_and_its_audit_row_are_stored_together_or_not_at_all(origin: Origin, table: str) -> None:
    """U1, and for everybody who was decided about at that moment: one that fails takes no other with it."""
    execute = origin.world.connection.execute
    await execute(
        "CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.person = (SELECT person FROM unlucky) THEN RAISE 'no room'; END IF; RETURN NEW; END $$"
    )
    await execute("CREATE TABLE unlucky (person bytea)")
    bo = origin.visitor("bo")
    await bo.decision()
    await execute("INSERT INTO unlucky SELECT person FROM decision")
    await execute(f"CREATE TRIGGER refuse_one BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_one()")
    others = [origin.visitor(f"person-{number}") for number in range(12)]
    answers = await asyncio.gather(*(each.evaluate() for each in (*others[:6], bo, *others[6:])))
    assert [answer.status_code for answer in answers] == [200] * 6 + [500] + [200] * 6
    assert await origin.world.count("decision") == 13
    assert await origin.world.count("audit_event", "about IN (SELECT ref FROM decision)") == 13
    assert await origin.world.count("audit_event") == 13


async def test_facts_are_kept_encrypted_and_for_as_long_as_their_decision_lives(origin: Origin) -> None:
    """Where they have not been erased yet, they are as good as erased."""
    ref = UUID(await origin.visitor().decision(SENIOR | {"job_code": "planted-job"}))
    row = await origin.world.connection.fetchrow("SELECT d::text AS text, facts_sealed, person FROM decision d")
    assert row is not None
    assert b"planted-job" not in row["facts_sealed"]
    assert b"planted-job".hex() not in row["text"]
    decisions = origin.state.decisions
    programme = origin.state.programmes.by_room["demo"]
    origin.world.clock.advance(3599)
    assert (await decisions.redecide(programme, row["person"], ref)).outcome == "eligible"
    origin.world.clock.advance(1)
    with pytest.raises(FactsLost):
        await decisions.redecide(programme, row["person"], ref)


async def test_a_booking_under_unchanged_rules_is_one_round_trip(origin: Origin, trips: Trips) -> None:
    """E4 costs nothing: the rules in force are looked at in the statement that books. It evaluates nothing again."""
    slot, ana = await origin.world.slot(), origin.visitor()
    decision = await ana.decision()
    before = origin.metric("pool_wait_seconds_count")
    assert (await ana.book(slot, decision)).status_code == 201
    assert origin.metric("pool_wait_seconds_count") == before + 1
    assert trips.made == 1
    assert await origin.world.count("decision") == 1


async def test_a_booking_under_changed_rules_decides_again_and_takes_one_more(origin: Origin, trips: Trips) -> None:
    """The other way round, so that the test above counts what it means to."""
    slot, ana = await origin.world.slot(), origin.visitor()
    decision = await ana.decision()
    await Officials(origin.client).active(from_age(50))
    before = origin.metric("pool_wait_seconds_count")
    assert (await ana.book(slot, decision)).status_code == 201
    assert origin.metric("pool_wait_seconds_count") > before + 1
    assert trips.made == 2
    assert await origin.world.count("decision") == 2


async def test_the_session_holds_the_decision_for_as_long_as_it_lives(origin: Origin) -> None:
    await origin.world.slot(capacity=9)
    ana = Browser(origin)
    assert "You can book now" in (await ana.answer(SENIOR)).text
    origin.world.clock.advance(3599)
    await ana.come_back()
    assert (await ana.get("/slots")).status_code == 200
    origin.world.clock.advance(1)
    for page in ("/slots", "/eligibility/result"):
        answer = await ana.get(page)
        assert (answer.status_code, answer.headers["location"]) == (303, "/eligibility")
    assert 'value="1950"' in (await ana.get("/eligibility")).text


async def test_a_new_version_makes_the_sessions_decision_void_and_it_is_made_again(origin: Origin) -> None:
    """On the same answers: who still can book goes on, and books with the new decision."""
    slot = await origin.world.slot(capacity=9)
    ana = Browser(origin)
    await ana.answer(SENIOR)
    version = await Officials(origin.client).active(from_age(70))
    origin.world.clock.advance(1)
    assert (await ana.get("/slots")).status_code == 200
    assert await origin.world.count("decision", f"rule_version = {version}") == 1
    assert CHANGED in (await ana.get("/eligibility/result")).text
    booked = await ana.post(f"/slots/{slot}/confirm", {})
    assert booked.status_code == 303, booked.text
    under = "SELECT rule_version FROM appointment JOIN decision ON ref = decision"
    assert await origin.world.connection.fetchval(under) == version
    assert await origin.world.count("decision") == 2


async def test_whoever_cannot_book_any_more_is_told_so_before_choosing_a_time(origin: Origin) -> None:
    slot = await origin.world.slot(capacity=9)
    ana = Browser(origin)
    await ana.answer(SENIOR)
    await Officials(origin.client).active(from_age(80))
    origin.world.clock.advance(1)
    for page in ("/slots", f"/slots/{slot}/confirm"):
        answer = await ana.get(page)
        assert (answer.status_code, answer.headers["location"]) == (303, "/eligibility/result")
    told = (await ana.get("/eligibility/result")).text
    assert CHANGED in told
    assert "You are younger than 65." in told


async def test_whoever_could_not_book_learns_that_they_can_now(origin: Origin) -> None:
    ana = Browser(origin)
    assert "Not yet" in (await ana.answer(ADULT)).text
    await Officials(origin.client).active(from_age(18))
    origin.world.clock.advance(1)
    told = (await ana.get("/eligibility/result")).text
    assert CHANGED in told
    assert "You can book now" in told


async def test_a_version_of_another_region_changes_nothing(origin: Origin) -> None:
    await origin.world.slot(capacity=9)
    ana = Browser(origin)
    await ana.answer(SENIOR)
    await Officials(origin.client).active(from_age(80), "ES-CM")
    origin.world.clock.advance(1)
    assert (await ana.get("/slots")).status_code == 200
    assert await origin.world.count("decision") == 1


async def test_facts_that_are_gone_are_asked_for_again(origin: Origin) -> None:
    ana = Browser(origin)
    await ana.answer(SENIOR)
    await origin.world.connection.execute("UPDATE decision SET facts_sealed = NULL")
    await Officials(origin.client).active(from_age(70))
    origin.world.clock.advance(1)
    answer = await ana.get("/slots")
    assert (answer.status_code, answer.headers["location"]) == (303, "/eligibility")


async def test_a_lost_connection_stores_nothing_twice(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it was stored nobody can tell then: it is not sent again behind the visitor's back."""
    sent: list[UUID] = []

    async def lost(_store: object, _connection: object, decisions: Sequence[NewDecision]) -> set[UUID]:
        sent.extend(each.ref for each in decisions)
        raise asyncpg.ConnectionDoesNotExistError("gone")

    monkeypatch.setattr(type(origin.state.decisions.store), "add", lost)
    answers = await asyncio.gather(*(origin.visitor(f"person-{number}").evaluate() for number in range(12)))
    assert {answer.json()["code"] for answer in answers} == {"store_unavailable"}
    assert len(sent) == len(set(sent)) == 12
