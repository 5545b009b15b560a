"""Hold a place for a moment: while somebody reads what they are about to confirm, nobody else gets it."""

from uuid import UUID

import msgspec

from origin import errors
from origin.booking.again import ask_again
from origin.booking.answers import refusal_of
from origin.booking.hold_store import Held, Hold, HoldResult, Wanted
from origin.booking.refusals import PASSING
from origin.identity import Person
from origin.inventory.slots import SlotId
from origin.state import OriginState
from shared import problem
from shared.problem import Problem

PATH = "/v1/holds"


class HoldForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which slot, and what for: the decision to book with, or the appointment to move."""

    slot_id: SlotId
    decision_ref: UUID | None = None
    appointment_id: UUID | None = None

    def check(self) -> None:
        """Raise Problem ``invalid_body`` unless it says what for, once."""
        if (self.decision_ref is None) == (self.appointment_id is None):
            raise Problem(problem.INVALID_BODY, "give either `decision_ref` or `appointment_id`")


async def hold(state: OriginState, person: Person, form: HoldForm, *, programme: str | None) -> Hold:
    """Keep a place for the person, for as long as the programme says; asked again for the same slot, no longer.

    A person has one such place: opening another slot gives the one before back. ``programme``: the one that the person
    was let through to; None where an appointment is to be moved.

    Raises:
        Problem: ``slot_gone`` (with ``alternatives``), ``slot_past``, ``slot_unknown``, ``decision_unknown``,
            ``decision_expired``, ``ineligible``, ``appointment_unknown``, ``appointment_cancelled``, ``too_late``,
            ``too_often``, ``frozen``; 503 ``store_unavailable``.
    """
    wanted = Wanted(
        hold=state.ids.uuid(),
        person=person.pseudonym,
        slot=form.slot_id,
        now=state.clock.now(),
        programme=programme,
        decision=form.decision_ref,
        appointment=form.appointment_id,
    )
    async with state.database.connection() as connection:
        result = await ask_again(state.metrics, lambda: state.bookings.store.holds.hold(connection, wanted))
    if result.hold is None or result.until is None:
        refused = await _refusal(state, wanted.slot, result)
        state.metrics.hold_refused.labels(refused.kind.code).inc()
        raise refused
    state.metrics.held.inc()
    return Hold(result.hold, form.slot_id, result.until)


async def _refusal(state: OriginState, slot: int, result: HoldResult) -> Problem:
    if result.outcome in PASSING:
        return Problem(PASSING[result.outcome])
    return (await refusal_of(state, slot, result.outcome, result.answer)).problem()


async def release(state: OriginState, person: Person, hold: UUID) -> None:
    """Give a held place back, at once.

    Raises:
        Problem: 404 ``hold_unknown``, also for other people's, and where it was booked or given back; 503
            ``store_unavailable``.
    """
    async with state.database.connection() as connection:
        if not await state.bookings.store.holds.release(connection, hold, person=person.pseudonym):
            raise Problem(errors.HOLD_UNKNOWN)


async def held(state: OriginState, person: Person, slot: int) -> Held | None:
    """Return the person's hold on a slot, unless it has lapsed; raises Problem 503 ``store_unavailable``."""
    async with state.database.connection() as connection:
        return await state.bookings.store.holds.of(connection, slot, person=person.pseudonym, now=state.clock.now())
