"""Bookings that are made together come out as if each had been made alone."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from origin.booking.answer_store import AnswerStore, Refused
from origin.booking.store import Attempt, BookingStore, Result
from origin.db.sql import Connection
from tests.origin_world import ADULT, SENIOR, Origin

BATCHES = 60


@dataclass
class Pool:
    """What attempts are drawn from: few of everything, so that they get into each other's way."""

    persons: dict[UUID, bytes]  # by the decision that is theirs
    slots: list[int]
    origin: Origin

    def draw(self, chance: random.Random) -> list[Attempt]:
        """Return some attempts in the order of their slots, as they are sent."""
        drawn = [self._one(chance) for _ in range(chance.randint(2, 12))]
        return sorted(drawn, key=lambda each: each.slot)

    def _one(self, chance: random.Random) -> Attempt:
        decision, person = chance.choice(list(self.persons.items()))
        if chance.random() < 0.1:
            decision = UUID(int=7)
        return Attempt(
            person=person,
            key=f"k{chance.randrange(30)}",
            fingerprint=chance.choice([b"f", b"g"]),
            programme="demo",
            slot=chance.choice([*self.slots, *[self.slots[1]] * 8]),  # everybody wants the same
            decision=decision,
            admission=f"a{chance.randrange(30)}",
            appointment=UUID(int=chance.getrandbits(128)),
            now=self.origin.world.clock.now(),
        )


async def hold(origin: Origin, person: bytes, slot: int, *, until: datetime) -> None:
    await origin.world.connection.execute(
        "WITH held AS (UPDATE slot SET remaining = remaining - 1 WHERE id = $2)"
        " INSERT INTO hold VALUES (gen_random_uuid(), 'demo', $1, $2, 'opened', $3, $3)",
        person,
        slot,
        until,
    )


async def pool(origin: Origin) -> Pool:
    persons: dict[UUID, bytes] = {}
    for number in range(5):
        visitor = origin.visitor(f"person-{number}")
        ref = UUID(await visitor.decision(ADULT if number == 4 else SENIOR))
        persons[ref] = await origin.world.connection.fetchval("SELECT person FROM decision WHERE ref = $1", ref)
    world = origin.world
    slots = [await world.slot(capacity=capacity, hours=24 + capacity) for capacity in (1, 2, 3)]
    slots.append(await world.slot(capacity=3, hours=40, product="999"))
    slots.append(await world.slot(capacity=3, hours=50, site=2))
    slots.append(await world.slot(capacity=3, hours=-1))
    slots.append(10**9)
    now = world.clock.now()
    await hold(origin, b"\0" * 32, slots[0], until=now - timedelta(hours=1))
    await hold(origin, next(iter(persons.values())), slots[1], until=now + timedelta(hours=1))
    return Pool(persons, slots, origin)


async def resolved(connection: Connection, batch: Sequence[Attempt]) -> list[tuple[Attempt, Result]]:
    """Send a batch, then alone what has to be; in the order in which they counted."""
    store = BookingStore()
    results = list(zip(batch, await store.book(connection, batch), strict=True))
    at_once = [(attempt, result) for attempt, result in results if result.outcome != "again"]
    later = [attempt for attempt, result in results if result.outcome == "again"]
    return at_once + [(attempt, (await store.book(connection, [attempt]))[0]) for attempt in later]


async def told(connection: Connection) -> list[object]:
    """All that a booking changes."""
    return [
        await connection.fetch("SELECT id, remaining FROM slot ORDER BY id"),
        await connection.fetch("SELECT slot, kind FROM hold ORDER BY slot"),
        await connection.fetch("SELECT id, person, slot, dose, decision, admission FROM appointment ORDER BY id"),
        await connection.fetch("SELECT kind, person, about, details::text FROM audit_event ORDER BY about, kind"),
        await connection.fetch("SELECT kind, appointment, appointment_version FROM outbox ORDER BY appointment"),
        await connection.fetch("SELECT person, key, fingerprint, status, body FROM idempotency ORDER BY person, key"),
    ]


@pytest.mark.parametrize("frozen", [False, True])
async def test_a_batch_comes_out_as_its_attempts_one_by_one(origin: Origin, frozen: bool) -> None:
    connection, chance = origin.world.connection, random.Random(20270301)
    drawn_from = await pool(origin)
    if frozen:
        await connection.execute(
            "INSERT INTO region_freeze (programme, region, since, reason) VALUES ('demo', 'ES-CM', now(), 'snow')"
        )
    outcomes = set()
    for _ in range(BATCHES):
        batch = drawn_from.draw(chance)
        before = await told(connection)
        undone = connection.transaction()
        await undone.start()
        counted = await resolved(connection, batch)
        after = await told(connection)
        await undone.rollback()
        assert await told(connection) == before

        attempted = connection.transaction()
        await attempted.start()
        for attempt, result in counted:
            assert (await BookingStore().book(connection, [attempt]))[0] == result
        assert await told(connection) == after
        await (attempted.commit() if chance.random() < 0.1 else attempted.rollback())
        outcomes |= {result.outcome for _, result in counted}
    assert outcomes >= {"booked", "replayed", "key_reused", "slot_gone", "slot_past", "slot_unknown", "already_booked"}
    assert outcomes >= {"admission_used", "decision_unknown", "not_eligible", "product_not_granted"}
    assert ("frozen" in outcomes) == frozen
    wrong = await connection.fetchval(
        "SELECT count(*) FROM slot WHERE remaining <> capacity"
        " - (SELECT count(*) FROM appointment a WHERE a.slot = slot.id AND a.status <> 'cancelled')"
        " - (SELECT count(*) FROM hold h WHERE h.slot = slot.id)"
    )
    assert wrong == 0


async def test_refusals_that_are_kept_together_are_each_kept_as_if_alone(origin: Origin) -> None:
    connection, drawn_from = origin.world.connection, await pool(origin)
    one = drawn_from.draw(random.Random(1))[0]
    same, reused = one, msgspec.structs.replace(one, fingerprint=b"another")
    other = msgspec.structs.replace(one, key="other")
    refused = [Refused(one, 409, "1"), Refused(same, 409, "2"), Refused(reused, 409, "3"), Refused(other, 403, "4")]
    assert await AnswerStore().remember_refusals(connection, refused) == ["1", "1", None, "4"]
    assert await AnswerStore().remember_refusals(connection, refused[1:]) == ["1", None, "4"]
    assert await connection.fetch("SELECT key, status FROM idempotency ORDER BY key") == [
        (one.key, 409),
        ("other", 403),
    ]
