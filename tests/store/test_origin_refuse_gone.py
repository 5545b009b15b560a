"""The herd that wants a slot which is gone: refused at once exactly where a booking would say that, nothing else."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from origin.booking.answer_store import AnswerStore, SharedAnswer
from origin.booking.store import Attempt, BookingStore, Result
from tests.origin_world import SENIOR, Origin

TEXT = '{"kept":"refusal","code":"slot_gone"}'
APPOINTED = (
    "INSERT INTO appointment (id, programme, person, dose, slot, status, decision, admission, created_at, changed_at)"
    " SELECT gen_random_uuid(), 'demo', person, {dose}, {{slot}}, 'confirmed', ref, '{admission}', now(), now()"
    " FROM decision"
)
HELD = (
    "INSERT INTO hold SELECT gen_random_uuid(), 'demo', {person}, {{slot}}, 'opened', '{{now}}', {until} FROM decision"
)
DIFFERENT = {
    "free": ("UPDATE slot SET remaining = 1", "booked"),
    "lapsed": (HELD.format(person="sha256('x')", until="'{now}'"), "booked"),
    "held for them": (HELD.format(person="person", until="timestamptz '{now}' + '1 h'"), "booked"),
    "over": ("UPDATE slot SET starts_at = '{now}', ends_at = timestamptz '{now}' + '5 min'", "slot_past"),
    "frozen": ("UPDATE programme SET frozen_since = now(), frozen_reason = 'snow'", "frozen"),
    "frozen at the site": (
        "UPDATE decision SET region = NULL; INSERT INTO region_freeze SELECT 'demo', region, now(), '' FROM site",
        "frozen",
    ),
    "frozen for them": (
        (
            "INSERT INTO region VALUES ('x', 'x'); INSERT INTO region_freeze VALUES ('demo', 'x', now(), '');"
            " UPDATE decision SET region = 'x'"
        ),
        "frozen",
    ),
    "another's decision": ("UPDATE decision SET person = sha256('x')", "decision_unknown"),
    "expired": ("UPDATE decision SET expires_at = '{now}'", "decision_expired"),
    "not eligible": ("UPDATE decision SET outcome = 'incomplete', products = NULL, dose = NULL", "not_eligible"),
    "another product": ("UPDATE slot SET product = '999'", "product_not_granted"),
    "other products": ("UPDATE decision SET products = products || '{{999}}'", "slot_gone"),
    "used": (APPOINTED.format(dose=7, admission="a"), "admission_used"),
    "booked already": (APPOINTED.format(dose="dose", admission="another"), "already_booked"),
    "both doses": ("INSERT INTO course SELECT 'demo', product, 1, 20, 30, false FROM slot", "next_dose_missing"),
    "by exception": (
        "SET session_replication_role = replica; UPDATE decision SET override = ref, evaluator = 'override'",
        "slot_gone",
    ),
}
"""What may be different, in the database; and what a booking is told then."""


@dataclass
class Herd:
    """Somebody who wants a slot that is gone, and what the herd is told."""

    origin: Origin
    attempt: Attempt
    shared: SharedAnswer

    async def refuse(self, *attempts: Attempt, shared: SharedAnswer | None = None) -> list[UUID | None]:
        return await AnswerStore().refuse_gone(
            self.origin.world.connection, attempts or [self.attempt], [shared or self.shared]
        )

    async def book(self, attempt: Attempt | None = None) -> Result:
        return (await BookingStore().book(self.origin.world.connection, [attempt or self.attempt]))[0]

    async def change(self, statement: str) -> None:
        """Let something be different."""
        now = self.attempt.now.isoformat()
        await self.origin.world.connection.execute(statement.format(slot=self.attempt.slot, now=now))

    async def kept(self) -> list[tuple[str, str]]:
        return [
            (key, body)
            for key, body in await self.origin.world.connection.fetch("SELECT key, body FROM idempotency ORDER BY key")
        ]


@pytest.fixture
async def herd(origin: Origin) -> Herd:
    """Somebody who is eligible, and one place, which others have."""
    connection, world = origin.world.connection, origin.world
    ref = UUID(await origin.visitor("ana").decision(SENIOR))
    person = await connection.fetchval("SELECT person FROM decision")
    products = await connection.fetchval("SELECT to_json(products)::text FROM decision")
    slot = await world.slot(capacity=1)
    await connection.execute("UPDATE slot SET remaining = 0 WHERE id = $1", slot)
    attempt = Attempt(
        person=person,
        key="k",
        fingerprint=b"f",
        programme="demo",
        slot=slot,
        decision=ref,
        admission="a",
        appointment=UUID(int=1),
        now=world.clock.now(),
    )
    return Herd(origin, attempt, SharedAnswer(UUID(int=9), slot, products, TEXT))


async def test_a_herd_is_refused_with_one_text_which_is_the_answer_to_every_key(herd: Herd) -> None:
    others = [msgspec.structs.replace(herd.attempt, key=f"k{number}", admission=f"a{number}") for number in range(5)]
    assert await herd.refuse(*others) == [herd.shared.id] * 5
    named = f'{{"kept":"shared","answer":"{herd.shared.id}"}}'
    assert await herd.kept() == [(f"k{number}", named) for number in range(5)]
    assert await AnswerStore().shared_answer(herd.origin.world.connection, herd.shared.id) == TEXT
    assert await herd.refuse(msgspec.structs.replace(herd.attempt, key="z"), shared=herd.shared.without_body())
    await herd.change("UPDATE slot SET remaining = 1")
    assert [await herd.book(each) for each in others] == [Result("replayed", named)] * 5


@pytest.mark.parametrize("name", DIFFERENT)
async def test_whoever_is_to_be_told_anything_else_is_booked_as_ever(herd: Herd, name: str) -> None:
    statement, told = DIFFERENT[name]
    await herd.change(statement)
    assert await herd.refuse() == [None]
    assert await herd.kept() == []
    assert (await herd.book()).outcome == told


async def test_rules_that_have_changed_meanwhile_are_asked_first(herd: Herd) -> None:
    await herd.origin.world.rules()
    assert await herd.refuse() == [None]
    assert (await herd.book()).outcome == "rules_changed"


async def test_nobody_is_told_of_another_slot_that_is_gone(herd: Herd) -> None:
    another = await herd.origin.world.slot(hours=30)
    await herd.change("UPDATE slot SET remaining = 0")
    assert await herd.refuse(shared=msgspec.structs.replace(herd.shared, slot=another)) == [None]
    assert await herd.kept() == []


async def test_a_key_that_has_an_answer_keeps_it(herd: Herd) -> None:
    await herd.change("UPDATE slot SET remaining = 1")
    assert (await herd.book()).outcome == "booked"
    reused = msgspec.structs.replace(herd.attempt, fingerprint=b"another", admission="b")
    assert await herd.refuse(herd.attempt, reused) == [None, None]
    assert (await herd.book()).outcome == "replayed"
    assert (await herd.book(reused)).outcome == "key_reused"


async def test_of_one_key_in_a_batch_the_same_request_gets_the_same_answer_and_another_none(herd: Herd) -> None:
    reused = msgspec.structs.replace(herd.attempt, fingerprint=b"another")
    refused = await herd.refuse(herd.attempt, herd.attempt, reused)
    assert refused in ([herd.shared.id, herd.shared.id, None], [None, None, herd.shared.id])
    assert len(await herd.kept()) == 1
    outcomes = [(await herd.book(each)).outcome for each in (herd.attempt, reused)]
    assert sorted(outcomes) == ["key_reused", "replayed"]


async def test_shared_answers_outlive_the_keys_that_name_them(herd: Herd) -> None:
    store, connection, now = AnswerStore(), herd.origin.world.connection, herd.attempt.now
    await herd.refuse()
    late = now + timedelta(hours=2)
    assert await store.sweep_shared_answers(connection, before=late, at_most=9) == 0  # a key is left
    assert await store.sweep_keys(connection, before=late, at_most=9) == 1
    assert await store.sweep_shared_answers(connection, before=now + timedelta(minutes=59), at_most=9) == 0
    assert await store.sweep_shared_answers(connection, before=late, at_most=9) == 1
