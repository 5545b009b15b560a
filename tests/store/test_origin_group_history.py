"""Random histories of bookings, of one part or several, and of cancellations, against a model: whole or not at all."""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from origin.booking.store import BookingStore, GroupAttempt, Part
from tests import origin_world
from tests.groups_world import set_course
from tests.origin_world import START, World

PEOPLE = [bytes([number]) * 32 for number in range(7)]
HOURS = (24, 48, 24 * 21, 24 * 23, 24 * 28, 24 * 40)
STEPS = 150


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with origin_world.world(database_url) as made:
        yield made


@dataclass
class Model:
    """What should be the case: places left, who has which dose, which admissions are used."""

    left: dict[int, int]
    day: dict[int, int]
    active: dict[tuple[bytes, int], UUID] = field(default_factory=dict)
    slot_of: dict[UUID, tuple[bytes, int, int, UUID | None]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def book(self, attempt: GroupAttempt) -> tuple[str, int | None]:
        """Return the outcome and the part that was refused; a refusal changes nothing."""
        left, active, booked = dict(self.left), dict(self.active), dict(self.slot_of)
        dose_of: dict[int, int] = {}
        for number, part in enumerate(attempt.parts, start=1):
            assert part.person is not None
            dose_of[number] = dose = 1 if part.follows is None else dose_of[part.follows] + 1
            before = None if part.follows is None else attempt.parts[part.follows - 1]
            gap = None if before is None else self.day[part.slot] - self.day[before.slot]
            if attempt.admission in self.used:
                return "admission_used", number
            if (part.person, dose) in active:
                return "already_booked", number
            if gap is not None and not (dose == 2 and 21 <= gap <= 28):
                return "interval_not_kept", number
            if not left[part.slot]:
                return "slot_gone", number
            left[part.slot] -= 1
            active[part.person, dose] = part.appointment
            booked[part.appointment] = part.person, dose, part.slot, None if before is None else before.appointment
        self.left, self.active, self.slot_of = left, active, booked
        self.used.add(attempt.admission)
        return "booked", None

    def cancel(self, appointment: UUID) -> None:
        """Cancel an appointment and the dose behind it."""
        for each, (person, dose, slot, follows) in list(self.slot_of.items()):
            if appointment in {each, follows} and self.active.get((person, dose)) == each:
                del self.active[person, dose]
                self.left[slot] += 1


async def decisions(world: World) -> dict[bytes, UUID]:
    """Give everybody a decision for the first dose of product 140."""
    made = {person: UUID(int=number + 1) for number, person in enumerate(PEOPLE)}
    for person, ref in made.items():
        await world.connection.execute(
            "INSERT INTO decision (ref, programme, region, person, outcome, rule_version, ruleset, evaluator, as_of,"
            " products, dose, inputs_hash, branches, created_at, expires_at)"
            " SELECT $1, 'demo', 'ES-MD', $2, 'eligible', v.version, v.ruleset, '2', $3::timestamptz::date,"
            " ARRAY['140'], 1, $2, '[]', $3, $4 FROM rule_version v",
            ref,
            person,
            START,
            START + timedelta(days=1),
        )
    return made


def random_attempt(
    rng: random.Random, slots: list[int], refs: dict[bytes, UUID], admissions: list[str]
) -> GroupAttempt:
    parts: list[Part] = []
    for number in range(1, rng.randint(1, 4) + 1):
        follows = rng.randrange(1, number) if number > 1 and rng.random() < 0.5 else None
        if follows in {each.follows for each in parts}:
            follows = None
        person = rng.choice(PEOPLE) if follows is None else parts[follows - 1].person
        assert person is not None
        parts.append(Part(person, rng.choice(slots), refs[person], follows, UUID(int=rng.getrandbits(128))))
    admission, key = rng.choice(admissions), str(rng.getrandbits(64))
    return GroupAttempt(parts[0].person or b"", key, b"f" * 32, "demo", admission, tuple(parts), START)


@pytest.mark.parametrize("seed", range(4))
async def test_no_history_leaves_part_of_a_group(world: World, seed: int) -> None:
    """B9, B1, B2 and B7."""
    await set_course(world)
    rng, store = random.Random(seed), BookingStore()
    slots = [await world.slot(hours=hours, capacity=rng.randint(1, 2)) for hours in HOURS]
    refs, admissions = await decisions(world), [f"admission {number}" for number in range(60)]
    rows = await world.connection.fetch("SELECT id, remaining FROM slot")
    model = Model(
        {row["id"]: row["remaining"] for row in rows}, dict(zip(slots, (h // 24 for h in HOURS), strict=True))
    )
    seen = set()
    for _ in range(STEPS):
        if model.slot_of and rng.random() < 0.3:
            appointment = rng.choice(list(model.slot_of))
            await store.cancel(world.connection, appointment, person=model.slot_of[appointment][0], now=START)
            if model.active.get(model.slot_of[appointment][:2]) == appointment:
                model.cancel(appointment)
        else:
            attempt = random_attempt(rng, slots, refs, admissions)
            result, expected = await store.book_group(world.connection, attempt), model.book(attempt)
            assert (result.outcome, result.part) == expected
            seen.add(result.outcome)
        remaining = await world.connection.fetch("SELECT id, remaining FROM slot")
        assert {row["id"]: row["remaining"] for row in remaining} == model.left
        assert await world.count("appointment", "status = 'confirmed'") == len(model.active)
        assert await world.count("appointment") == len(model.slot_of)
    assert seen == {"booked", "admission_used", "already_booked", "interval_not_kept", "slot_gone"}
