"""A model of booking that fits on a page: who holds and has which place, and what comes of the next wish."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

HOLD = timedelta(minutes=2)


@dataclass(frozen=True)
class Held:
    """A place that somebody holds."""

    id: UUID
    slot: int
    until: datetime


@dataclass(frozen=True)
class Part:
    """What somebody wants to book, for themselves or for another; one of several parts under an admission."""

    id: UUID
    person: int
    slot: int
    admission: str
    number: int = 1
    booked_by: int | None = None


@dataclass(frozen=True)
class Kept:
    """An appointment."""

    part: Part
    slot: int
    confirmed: bool = True

    def is_of(self, person: int) -> bool:
        """Whether that person may change it."""
        return person in (self.part.person, self.part.booked_by)


@dataclass
class Model:
    """People and slots are numbers. ``left`` are the ids of the holds that the database still has.

    Of several lapsed holds that may make way the database is free to choose: the model follows it.
    """

    now: datetime
    starts: list[datetime]
    capacities: list[int]
    frozen: bool = False
    holds: dict[int, Held] = field(default_factory=dict)
    appointments: dict[UUID, Kept] = field(default_factory=dict)

    def taken(self, slot: int) -> int:
        """Places of a slot that are held or booked."""
        kept = sum(each.slot == slot and each.confirmed for each in self.appointments.values())
        return kept + sum(held.slot == slot for held in self.holds.values())

    def remaining(self) -> list[int]:
        """What is left of each slot."""
        return [capacity - self.taken(slot) for slot, capacity in enumerate(self.capacities)]

    def has_begun(self, slot: int) -> bool:
        """Whether it is too late for a slot."""
        return self.starts[slot] <= self.now

    def lapsed(self) -> list[int]:
        """Whose holds have lapsed, swept or not."""
        return [who for who, held in self.holds.items() if held.until <= self.now]

    def holds_at(self, person: int, slot: int) -> bool:
        """Whether the person's hold is there."""
        return person in self.holds and self.holds[person].slot == slot

    def can_take(self, person: int, slot: int) -> bool:
        """Whether there is a place for the person: their own, a free one, or one whose hold has lapsed."""
        makes_way = any(self.holds[who].slot == slot for who in self.lapsed())
        return self.holds_at(person, slot) or self.taken(slot) < self.capacities[slot] or makes_way

    def take(self, person: int, slot: int, left: set[UUID]) -> None:
        """Make room for the person, whose place is noted by whoever calls."""
        if self.holds_at(person, slot):
            del self.holds[person]
        elif self.taken(slot) >= self.capacities[slot]:
            lapsed = [who for who in self.lapsed() if self.holds[who].slot == slot]
            del self.holds[min(lapsed, key=lambda who: self.holds[who].id in left)]

    def of_booking(self, part: Part) -> str:
        """What comes of booking that."""
        before = self.appointments.values()
        if self.frozen:
            return "frozen"
        if self.has_begun(part.slot):
            return "slot_past"
        if any((each.part.admission, each.part.number) == (part.admission, part.number) for each in before):
            return "admission_used"
        if any(each.part.person == part.person and each.confirmed for each in before):
            return "already_booked"
        return "booked" if self.can_take(part.person, part.slot) else "slot_gone"

    def book(self, parts: list[Part], left: set[UUID]) -> tuple[str, int | None]:
        """Book all parts or none; return what came of it, and of a refusal which part, from 1, is in the way."""
        holds, appointments = dict(self.holds), dict(self.appointments)
        for number, part in enumerate(parts, 1):
            outcome = self.of_booking(part)
            if outcome != "booked":
                self.holds, self.appointments = holds, appointments
                return outcome, number
            self.take(part.person, part.slot, left)
            self.appointments[part.id] = Kept(part, part.slot)
        return "booked", None

    def hold(self, id_: UUID, person: int, slot: int, left: set[UUID]) -> str:
        """Hold a place instead of the one that is held; the old one is given back whatever comes of the new one."""
        if self.frozen or self.has_begun(slot):
            return "frozen" if self.frozen else "slot_past"
        if self.holds_at(person, slot) and self.holds[person].until > self.now:
            return "held"
        self.holds.pop(person, None)
        if not self.can_take(person, slot):
            return "slot_gone"
        self.take(person, slot, left)
        self.holds[person] = Held(id_, slot, self.now + HOLD)
        return "held"

    def move(self, id_: UUID, person: int, slot: int, left: set[UUID]) -> str:
        """Move an appointment."""
        outcome = self._of_moving(self.appointments[id_], person, slot)
        if outcome == "moved" and slot != self.appointments[id_].slot:
            self.take(person, slot, left)
            self.appointments[id_] = replace(self.appointments[id_], slot=slot)
        return outcome

    def _of_moving(self, kept: Kept, person: int, slot: int) -> str:
        if not kept.is_of(person):
            return "unknown"
        if not kept.confirmed:
            return "already_cancelled"
        if self.frozen:
            return "frozen"
        if self.has_begun(kept.slot):
            return "too_late"
        if self.has_begun(slot):
            return "slot_past"
        return "moved" if slot == kept.slot or self.can_take(person, slot) else "slot_gone"

    def cancel(self, id_: UUID, person: int) -> str:
        """Cancel an appointment."""
        kept = self.appointments[id_]
        if not kept.is_of(person):
            return "unknown"
        if not kept.confirmed:
            return "already_cancelled"
        if self.has_begun(kept.slot):
            return "too_late"
        self.appointments[id_] = replace(kept, confirmed=False)
        return "cancelled"

    def bring(self, slot: int, capacity: int) -> None:
        """Change a capacity, never below what is taken; one that has begun stays as it is.

        Holds that have lapsed are nobody's: they go where something is changed.
        """
        lapsed = [who for who in self.lapsed() if self.holds[who].slot == slot]
        becomes = max(capacity, self.taken(slot) - len(lapsed))
        if not self.has_begun(slot) and becomes != self.capacities[slot]:
            self.capacities[slot] = becomes
            for who in lapsed:
                del self.holds[who]
