"""Move an appointment to another slot. The old place is kept until the new one is certain; never behind the queue."""

from uuid import UUID

import msgspec

from origin import errors
from origin.booking.again import ask_again
from origin.booking.answers import read_answer, refuse
from origin.booking.appointments import Appointment
from origin.booking.book import PATH
from origin.booking.key import fingerprint
from origin.booking.refusals import PASSING
from origin.booking.store import Move, Moved
from origin.db.constraints import refused_by
from origin.identity import Person
from origin.inventory.slots import SlotId
from origin.state import OriginState
from shared.problem import Problem

_KEY_TAKEN = {"idempotency_pkey": errors.KEY_IN_FLIGHT}
_encode = msgspec.json.Encoder().encode


class RescheduleForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which slot it shall be; one of the same product."""

    slot_id: SlotId


async def reschedule(
    state: OriginState, person: Person, key: str, appointment: UUID, form: RescheduleForm
) -> Appointment:
    """Move, once per ``key``; the same key and form get the same answer for 24 hours.

    Either the appointment has its new place when this returns, or it has its old one. To the slot that it has already,
    it moves without being counted.

    Raises:
        Problem: ``slot_gone`` (with ``alternatives``), ``slot_past``, ``slot_unknown``, ``ineligible`` (product),
            ``interval_not_kept``, ``too_late``, ``too_often``, ``appointment_cancelled``, ``appointment_unknown``;
            ``key_in_flight``, ``key_reused``, ``frozen``; 503 ``store_unavailable``.
    """
    move = Move(
        person=person.pseudonym,
        key=key,
        fingerprint=fingerprint("POST", f"{PATH}/{appointment}:reschedule", _encode(form)),
        slot=form.slot_id,
        now=state.clock.now(),
        appointment=appointment,
    )
    try:
        return await _move(state, move)
    except Problem as refused:
        state.metrics.move_refused.labels(refused.kind.code).inc()
        raise


async def _move(state: OriginState, move: Move) -> Appointment:
    moved = await _ask(state, move)
    match moved.outcome:
        case "moved":
            state.metrics.moved.inc()
            return await read_answer(state, moved.answer)
        case "replayed":
            return await read_answer(state, moved.answer)
        case "key_in_flight" | "key_reused" | "frozen":
            raise Problem(PASSING[moved.outcome])
        case _:
            return await refuse(state, move, moved.outcome, moved.answer)


async def _ask(state: OriginState, move: Move) -> Moved:
    async with state.database.connection() as connection:
        with refused_by(_KEY_TAKEN):
            return await ask_again(state.metrics, lambda: state.bookings.store.reschedule(connection, move))
