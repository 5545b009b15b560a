"""Whatever people do in whatever order, the database and a model of a page agree: who has which place, what is left."""

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from origin.booking.store import Attempt, BookingStore, Result
from origin.db.pool import connect
from origin.db.sql import Connection
from origin.inventory.bulk.checking import StagedSlot
from origin.inventory.bulk.store import SupplyStore
from tests.booking_model import Model, Part
from tests.origin_world import START, World

PEOPLE = 3
CAPACITIES = (1, 1, 2)
BEGIN = tuple(START + timedelta(minutes=minutes) for minutes in (15, 40, 120))
LATE = 12
"""From how many ids on a run is near its end."""
T = TypeVar("T")

person = st.integers(0, PEOPLE - 1)
slot = st.integers(0, len(CAPACITIES) - 1)
admission = st.one_of(st.none(), st.integers(0, 2))  # none: one that nobody had before


def pseudonym(person: int) -> bytes:
    return bytes([person + 1]) * 32


@dataclass(frozen=True)
class Town:
    connection: Connection
    slots: list[int]
    decisions: list[UUID]


class Bookings(RuleBasedStateMachine):
    """Three people, three slots, the last of which begins late. Each run is one transaction that is undone."""

    loop: asyncio.AbstractEventLoop
    town: Town

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(START, list(BEGIN), list(CAPACITIES))
        self.answered: list[tuple[Attempt, str]] = []
        self.kept = 0
        self.number = 0
        self.undo = self.town.connection.transaction()
        self.run(self.undo.start())

    def teardown(self) -> None:
        self.run(self.undo.rollback())

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(doing)

    def fetch(self, query: str, *values: object) -> list[asyncpg.Record]:
        return self.run(self.town.connection.fetch(query, *values))

    def ask(self, query: str, *values: object) -> tuple[Any, ...]:
        (row,) = self.fetch(query, *values)
        return tuple(row)

    def uuid(self) -> UUID:
        self.number += 1
        return UUID(int=self.number)

    def named(self, number: int | None) -> str:
        return f"a{number}" if number is not None else f"new {self.uuid()}"

    def left(self) -> set[UUID]:
        return {row["id"] for row in self.fetch("SELECT id FROM hold")}

    def one_of(self, data: st.DataObject) -> UUID:
        """An appointment; mostly one that is not cancelled."""
        made = self.model.appointments
        confirmed = [id_ for id_ in made if made[id_].confirmed]
        return data.draw(st.sampled_from(confirmed + sorted(made)))

    def one_who_wants(self, data: st.DataObject, id_: UUID) -> int:
        """Mostly somebody who may."""
        part = self.model.appointments[id_].part
        booker = part.person if part.booked_by is None else part.booked_by
        who: int = data.draw(st.sampled_from([part.person, part.person, booker, booker, *range(PEOPLE)]))
        return who

    # What people do --------------------------------------------------------------------------------------------

    @rule(person=person, slot=slot, admission=admission)
    def book(self, person: int, slot: int, admission: int | None) -> None:
        part = Part(self.uuid(), person, slot, self.named(admission))
        attempt = Attempt(
            person=pseudonym(person),
            key=str(part.id),
            fingerprint=b"f",
            programme="demo",
            slot=self.town.slots[slot],
            decision=self.town.decisions[person],
            admission=part.admission,
            appointment=part.id,
            now=self.model.now,
        )
        (told,) = self.run(BookingStore().book(self.town.connection, [attempt]))
        outcome, _ = self.model.book([part], self.left())
        assert told.outcome == outcome
        if outcome == "booked":
            self.kept += 1
            self.answered.append((attempt, told.answer or ""))

    @precondition(lambda self: self.answered)
    @rule(data=st.data(), fingerprint=st.sampled_from([b"f", b"g"]))
    def book_again_with_the_same_key(self, data: st.DataObject, fingerprint: bytes) -> None:
        attempt, answer = data.draw(st.sampled_from(self.answered))
        again = msgspec.structs.replace(attempt, fingerprint=fingerprint, appointment=self.uuid(), now=self.model.now)
        (told,) = self.run(BookingStore().book(self.town.connection, [again]))
        assert told == (Result("replayed", answer) if fingerprint == b"f" else Result("key_reused"))

    @rule(booker=person, other=person, slots=st.tuples(slot, slot), admission=admission)
    def book_for_two(self, booker: int, other: int, slots: tuple[int, int], admission: int | None) -> None:
        if self.model.holds_at(booker, slots[1]):
            slots = slots[::-1]  # who holds a place wants it
        name = self.named(admission)
        for_whom = None if other == booker else booker
        parts = [Part(self.uuid(), booker, slots[0], name), Part(self.uuid(), other, slots[1], name, 2, for_whom)]
        outcome, _, number = self.ask(
            "SELECT * FROM book_group($1, $2, 'f', 'demo', $3, $4, $5, $6, '{NULL, NULL}', $7, $8)",
            pseudonym(booker),
            str(self.uuid()),
            name,
            [pseudonym(part.person) for part in parts],
            [self.town.slots[part.slot] for part in parts],
            [self.town.decisions[part.person] for part in parts],
            [part.id for part in parts],
            self.model.now,
        )
        assert (outcome, number) == self.model.book(parts, self.left())
        self.kept += outcome == "booked"

    @rule(person=person, slot=slot)
    def hold(self, person: int, slot: int) -> None:
        id_ = self.uuid()
        outcome, hold, until, _ = self.ask(
            "SELECT * FROM hold_place($1, 'demo', $2, $3, $4, NULL, $5)",
            id_,
            pseudonym(person),
            self.town.slots[slot],
            self.town.decisions[person],
            self.model.now,
        )
        assert outcome == self.model.hold(id_, person, slot, self.left())
        if outcome == "held":
            assert (hold, until) == (self.model.holds[person].id, self.model.holds[person].until)

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data(), person=person)
    def release(self, data: st.DataObject, person: int) -> None:
        whose = data.draw(st.sampled_from(sorted(self.model.holds)))
        released = self.ask("SELECT release_hold($1, $2)", pseudonym(person), self.model.holds[whose].id)
        assert released == (whose == person,)
        if whose == person:
            del self.model.holds[person]

    @rule()
    def sweep(self) -> None:
        lapsed = self.model.lapsed()
        assert self.ask("SELECT sweep_holds($1, 100)", self.model.now) == (len(lapsed),)
        for who in lapsed:
            del self.model.holds[who]

    @precondition(lambda self: self.model.appointments)
    @rule(data=st.data(), slot=slot)
    def move(self, data: st.DataObject, slot: int) -> None:
        id_ = self.one_of(data)
        if data.draw(st.booleans()):
            self.change_capacity(slot, 3)
        self.move_as(self.one_who_wants(data, id_), id_, slot)

    def move_as(self, person: int, id_: UUID, slot: int) -> None:
        outcome, _ = self.ask(
            "SELECT * FROM reschedule($1, $2, 'f', $3, $4, $5)",
            pseudonym(person),
            str(self.uuid()),
            id_,
            self.town.slots[slot],
            self.model.now,
        )
        assert outcome == self.model.move(id_, person, slot, self.left())
        self.kept += outcome == "moved"

    @precondition(lambda self: self.model.appointments)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        id_ = self.one_of(data)
        self.cancel_as(self.one_who_wants(data, id_), id_)

    def cancel_as(self, person: int, id_: UUID) -> None:
        cancelled = BookingStore().cancel(self.town.connection, id_, person=pseudonym(person), now=self.model.now)
        assert self.run(cancelled) == self.model.cancel(id_, person)

    # What happens to them --------------------------------------------------------------------------------------

    @rule(minutes=st.integers(1, 6))
    def wait(self, minutes: int) -> None:
        self.model.now += timedelta(minutes=minutes)

    @precondition(lambda self: self.number > LATE and self.model.now < BEGIN[-2])
    @rule(person=person)
    def want_a_slot_that_begins(self, person: int) -> None:
        """Late in a run: whose appointment has begun cannot do much any more."""
        begun = next(slot for slot, begin in enumerate(BEGIN) if begin > self.model.now)
        self.model.now = BEGIN[begun]
        self.hold(person, begun)
        self.book_alone(person, begun)
        for id_, kept in list(self.model.appointments.items()):
            self.move_as(kept.part.person, id_, begun)
            if kept.slot == begun:
                self.cancel_as(kept.part.person, id_)

    @rule(holder=person, other=person, slot=slot, lapses=st.booleans(), data=st.data())
    def want_the_last_place_that_is_held(
        self, holder: int, other: int, slot: int, lapses: bool, data: st.DataObject
    ) -> None:
        self.give_up(other)
        self.hold(holder, slot)
        self.change_capacity(slot, 0)
        if lapses:
            self.wait_until_all_holds_have_lapsed()
        data.draw(st.sampled_from([self.book_alone, self.hold, self.book_for_both]))(other, slot)

    @rule(slot=slot)
    def let_everybodys_hold_lapse(self, slot: int) -> None:
        self.change_capacity(slot, PEOPLE)
        for each in range(PEOPLE):
            self.hold(each, slot)
        self.wait_until_all_holds_have_lapsed()
        self.sweep()

    def wait_until_all_holds_have_lapsed(self) -> None:
        self.model.now = max([self.model.now, *(held.until for held in self.model.holds.values())])

    def give_up(self, person: int) -> None:
        for id_, kept in list(self.model.appointments.items()):
            if kept.part.person == person:
                self.cancel_as(person, id_)

    def book_alone(self, person: int, slot: int) -> None:
        self.book(person, slot, None)

    def book_for_both(self, person: int, slot: int) -> None:
        self.book_for_two(person, (person + 1) % PEOPLE, (slot, len(CAPACITIES) - 1), None)

    @precondition(lambda self: self.model.appointments)
    @rule(data=st.data(), person=person, slot=slot)
    def freeze_for_a_moment(self, data: st.DataObject, person: int, slot: int) -> None:
        self._set_frozen(True)
        self.book(person, slot, None)
        self.hold(person, slot)
        self.move(data, slot)
        self._set_frozen(False)

    def _set_frozen(self, frozen: bool) -> None:
        since, reason = (self.model.now, "snow") if frozen else (None, None)
        self.fetch("UPDATE programme SET frozen_since = $1, frozen_reason = $2", since, reason)
        self.model.frozen = frozen

    @rule(slot=slot, capacity=st.integers(0, 3))
    def change_capacity(self, slot: int, capacity: int) -> None:
        begin = BEGIN[slot]
        wanted = (0, 1, "1", begin, begin + timedelta(minutes=30), "140", capacity, None)
        self.run(self._import(wanted))
        self.model.bring(slot, capacity)

    async def _import(self, wanted: StagedSlot) -> None:
        supply, connection = SupplyStore(), self.town.connection
        await supply.hold(connection)
        await supply.stage(connection, [wanted])
        await supply.plan(connection, "demo", "cut", self.model.now)
        await supply.merge(connection, "demo", "cut", self.model.now, 0, 1)

    # What always holds -----------------------------------------------------------------------------------------

    @invariant()
    def every_slot_adds_up(self) -> None:
        rows = self.fetch("SELECT capacity, remaining FROM slot ORDER BY id")
        assert [row["remaining"] for row in rows] == self.model.remaining()
        assert [row["capacity"] for row in rows] == self.model.capacities

    @invariant()
    def everybody_has_what_they_were_told(self) -> None:
        appointments = self.fetch("SELECT id, person, slot, status FROM appointment")
        assert {tuple(row) for row in appointments} == {
            (
                id_,
                pseudonym(kept.part.person),
                self.town.slots[kept.slot],
                "confirmed" if kept.confirmed else "cancelled",
            )
            for id_, kept in self.model.appointments.items()
        }
        holds = self.fetch("SELECT id, person, slot, expires_at FROM hold")
        assert {tuple(row) for row in holds} == {
            (held.id, pseudonym(who), self.town.slots[held.slot], held.until) for who, held in self.model.holds.items()
        }

    @invariant()
    def each_change_has_its_audit_and_outbox_row_and_each_answer_is_kept(self) -> None:
        changes, audited, announced, kept = self.ask(
            "SELECT (SELECT coalesce(sum(version), 0) FROM appointment), (SELECT count(*) FROM audit_event),"
            " (SELECT count(*) FROM outbox), (SELECT count(*) FROM idempotency)"
        )
        assert changes == audited == announced
        assert kept == self.kept


async def make_town(database_url: str) -> Town:
    world = World(await connect(database_url))
    await world.set_up()
    hours = [(begin - START) / timedelta(hours=1) for begin in BEGIN]
    slots = [await world.slot(capacity=each, hours=at) for each, at in zip(CAPACITIES, hours, strict=True)]
    decisions = await world.decided([pseudonym(number) for number in range(PEOPLE)])
    return Town(world.connection, slots, [decisions[pseudonym(number)] for number in range(PEOPLE)])


@pytest.fixture
def machine(database_url: str) -> Iterator[type[Bookings]]:
    loop = asyncio.new_event_loop()

    class InThisTown(Bookings):
        pass

    InThisTown.loop, InThisTown.town = loop, loop.run_until_complete(make_town(database_url))
    yield InThisTown
    loop.run_until_complete(InThisTown.town.connection.close())
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
