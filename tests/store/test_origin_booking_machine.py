"""Whatever people do in whatever order, database and model agree: who has which place, and what is left."""

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from origin.booking.store import Attempt, BookingStore
from origin.db.pool import connect
from origin.db.sql import Connection
from tests.origin_world import START, World

PEOPLE, SLOTS, ADMISSIONS = 4, 4, 6
CAPACITIES = (1, 1, 2, 3)
HOLD = timedelta(minutes=2)
T = TypeVar("T")

person = st.integers(0, PEOPLE - 1)
slot = st.integers(0, SLOTS - 1)
admission = st.integers(0, ADMISSIONS - 1)


@dataclass(frozen=True)
class Held:
    id: UUID
    slot: int
    until: datetime


@dataclass(frozen=True)
class Kept:
    person: int
    slot: int
    admission: int
    status: str = "confirmed"


class Bookings(RuleBasedStateMachine):
    """Four people, four slots. Each run is one transaction that is undone."""

    loop: asyncio.AbstractEventLoop
    connection: Connection
    slots: list[int]
    decisions: list[UUID]
    starts: list[datetime]

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.frozen = False
        self.holds: dict[int, Held] = {}
        self.appointments: dict[UUID, Kept] = {}
        self.number = 0
        self.undo = self.connection.transaction()
        self.run(self.undo.start())

    def teardown(self) -> None:
        self.run(self.undo.rollback())

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(doing)

    def ask(self, query: str, *values: object) -> asyncpg.Record:
        row: asyncpg.Record
        (row,) = self.run(self.connection.fetch(query, *values))
        return row

    # The model -------------------------------------------------------------------------------------------------

    def taken(self, slot: int) -> int:
        kept = [each for each in self.appointments.values() if each.slot == slot and each.status == "confirmed"]
        return len(kept) + sum(held.slot == slot for held in self.holds.values())

    def lapsed(self, slot: int) -> list[int]:
        return [who for who, held in self.holds.items() if held.slot == slot and held.until <= self.now]

    def can_take(self, person: int, slot: int) -> bool:
        own = self.holds.get(person)
        return (own is not None and own.slot == slot) or self.taken(slot) < CAPACITIES[slot] or bool(self.lapsed(slot))

    def take(self, person: int, slot: int) -> None:
        """Note that a place was taken; a lapsed hold that made way is the one that the database has no more."""
        own = self.holds.get(person)
        if own is not None and own.slot == slot:
            del self.holds[person]
        elif self.taken(slot) >= CAPACITIES[slot]:
            left = {row["id"] for row in self.run(self.connection.fetch("SELECT id FROM hold"))}
            (gone,) = (who for who in self.lapsed(slot) if self.holds[who].id not in left)
            del self.holds[gone]

    def active(self, person: int) -> bool:
        return any(each.person == person and each.status == "confirmed" for each in self.appointments.values())

    def uuid(self) -> UUID:
        self.number += 1
        return UUID(int=self.number)

    def pseudonym(self, person: int) -> bytes:
        return bytes([person + 1]) * 32

    # What people do --------------------------------------------------------------------------------------------

    @rule(person=person, slot=slot, admission=admission)
    def book(self, person: int, slot: int, admission: int) -> None:
        expected = (
            "frozen"
            if self.frozen
            else "slot_past"
            if self.starts[slot] <= self.now
            else "admission_used"
            if any(each.admission == admission for each in self.appointments.values())
            else "already_booked"
            if self.active(person)
            else "booked"
            if self.can_take(person, slot)
            else "slot_gone"
        )
        appointment = self.uuid()
        attempt = Attempt(
            person=self.pseudonym(person),
            key=str(appointment),
            fingerprint=b"f",
            programme="demo",
            slot=self.slots[slot],
            decision=self.decisions[person],
            admission=f"a{admission}",
            appointment=appointment,
            now=self.now,
        )
        (result,) = self.run(BookingStore().book(self.connection, [attempt]))
        assert result.outcome == expected
        if expected == "booked":
            self.take(person, slot)
            self.appointments[appointment] = Kept(person, slot, admission)

    @rule(person=person, slot=slot)
    def hold(self, person: int, slot: int) -> None:
        own, id_ = self.holds.get(person), self.uuid()
        told = self.ask(
            "SELECT * FROM hold_place($1, 'demo', $2, $3, $4, NULL, $5)",
            id_,
            self.pseudonym(person),
            self.slots[slot],
            self.decisions[person],
            self.now,
        )
        if self.frozen or self.starts[slot] <= self.now:
            assert told["outcome"] == ("frozen" if self.frozen else "slot_past")
        elif own is not None and own.slot == slot and own.until > self.now:
            assert (told["outcome"], told["hold"], told["until"]) == ("held", own.id, own.until)
        else:
            if own is not None:
                del self.holds[person]  # given back, whatever comes of the other
            assert told["outcome"] == ("held" if self.can_take(person, slot) else "slot_gone")
            if told["outcome"] == "held":
                self.take(person, slot)
                self.holds[person] = Held(id_, slot, self.now + HOLD)

    @precondition(lambda self: self.holds)
    @rule(person=person, other=person)
    def release(self, person: int, other: int) -> None:
        held = self.holds.get(other)
        released = self.ask(
            "SELECT release_hold($1, $2) AS released", self.pseudonym(person), held.id if held else self.uuid()
        )
        assert released["released"] == (held is not None and person == other)
        if released["released"]:
            del self.holds[person]

    @rule()
    def sweep(self) -> None:
        lapsed = [who for who, held in self.holds.items() if held.until <= self.now]
        assert self.run(BookingStore().holds.sweep(self.connection, now=self.now, at_most=100)) == len(lapsed)
        for who in lapsed:
            del self.holds[who]

    @precondition(lambda self: self.appointments)
    @rule(data=st.data(), person=person, slot=slot)
    def move(self, data: st.DataObject, person: int, slot: int) -> None:
        id_, kept = self._one_of(data)
        expected = (
            "unknown"
            if kept.person != person
            else "already_cancelled"
            if kept.status == "cancelled"
            else "frozen"
            if self.frozen
            else "too_late"
            if self.starts[kept.slot] <= self.now
            else "slot_past"
            if self.starts[slot] <= self.now
            else "moved"
            if slot == kept.slot or self.can_take(person, slot)
            else "slot_gone"
        )
        told = self.ask(
            "SELECT * FROM reschedule($1, $2, 'f', $3, $4, $5)",
            self.pseudonym(person),
            str(self.uuid()),
            id_,
            self.slots[slot],
            self.now,
        )
        assert told["outcome"] == expected
        if expected == "moved" and slot != kept.slot:
            self.take(person, slot)
            self.appointments[id_] = replace(kept, slot=slot)

    @precondition(lambda self: self.appointments)
    @rule(data=st.data(), person=person)
    def cancel(self, data: st.DataObject, person: int) -> None:
        id_, kept = self._one_of(data)
        expected = (
            "unknown"
            if kept.person != person
            else "already_cancelled"
            if kept.status == "cancelled"
            else "too_late"
            if self.starts[kept.slot] <= self.now
            else "cancelled"
        )
        cancelled = BookingStore().cancel(self.connection, id_, person=self.pseudonym(person), now=self.now)
        assert self.run(cancelled) == expected
        if expected == "cancelled":
            self.appointments[id_] = replace(kept, status="cancelled")

    @rule(minutes=st.integers(1, 4))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def freeze_or_thaw(self) -> None:
        self.frozen = not self.frozen
        self.run(
            self.connection.execute(
                "UPDATE programme SET frozen_since = $1, frozen_reason = $2",
                self.now if self.frozen else None,
                "snow" if self.frozen else None,
            )
        )

    def _one_of(self, data: st.DataObject) -> tuple[UUID, Kept]:
        id_ = data.draw(st.sampled_from(sorted(self.appointments)))
        return id_, self.appointments[id_]

    # What always holds -----------------------------------------------------------------------------------------

    @invariant()
    def every_slot_adds_up(self) -> None:
        rows = self.run(self.connection.fetch("SELECT remaining FROM slot ORDER BY id"))
        assert [row["remaining"] for row in rows] == [CAPACITIES[each] - self.taken(each) for each in range(SLOTS)]

    @invariant()
    def everybody_has_what_they_were_told(self) -> None:
        rows = self.run(self.connection.fetch("SELECT id, person, slot, status FROM appointment"))
        assert {row["id"]: (row["person"], row["slot"], row["status"]) for row in rows} == {
            id_: (self.pseudonym(kept.person), self.slots[kept.slot], kept.status)
            for id_, kept in self.appointments.items()
        }

    @invariant()
    def each_change_has_its_audit_and_outbox_row(self) -> None:
        told = self.ask(
            "SELECT (SELECT coalesce(sum(version), 0) FROM appointment) AS changes,"
            " (SELECT count(*) FROM audit_event) AS audited, (SELECT count(*) FROM outbox) AS announced"
        )
        assert told["changes"] == told["audited"] == told["announced"]


async def town(database_url: str) -> tuple[Connection, list[int], list[datetime], list[UUID]]:
    connection = await connect(database_url)
    world = World(connection)
    await world.set_up()
    slots = [await world.slot(capacity=size, hours=(5 + 5 * at) / 60) for at, size in enumerate(CAPACITIES)]
    starts = [START + timedelta(minutes=5 + 5 * at) for at in range(SLOTS)]
    decisions = [UUID(int=1000 + number) for number in range(PEOPLE)]
    for number, ref in enumerate(decisions):
        await connection.execute(
            "INSERT INTO decision (ref, programme, person, outcome, rule_version, ruleset, evaluator, as_of, products,"
            " dose, inputs_hash, branches, created_at, expires_at) SELECT $1, 'demo', $2, 'eligible', version, ruleset,"
            " '2.0.0', current_date, '{140}', 1, '', '[]', $3::timestamptz, $3::timestamptz + interval '1 day'"
            "  FROM rule_version",
            ref,
            bytes([number + 1]) * 32,
            START,
        )
    return connection, slots, starts, decisions


@pytest.fixture
def machine(database_url: str) -> Iterator[type[Bookings]]:
    loop = asyncio.new_event_loop()
    connection, slots, starts, decisions = loop.run_until_complete(town(database_url))

    class OnThisDatabase(Bookings):
        pass

    OnThisDatabase.loop, OnThisDatabase.connection = loop, connection
    OnThisDatabase.slots, OnThisDatabase.starts, OnThisDatabase.decisions = slots, starts, decisions
    yield OnThisDatabase
    loop.run_until_complete(connection.close())
    loop.close()


def test_no_order_of_what_people_do_breaks_the_books(machine: type[Bookings]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
