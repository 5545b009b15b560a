"""What a request under an Idempotency-Key is answered with: an appointment, or a refusal, each kept under the key."""

from uuid import UUID

import msgspec

from origin import errors
from origin.booking.answer_store import Refused
from origin.booking.appointments import Appointment, AppointmentFacts, from_facts
from origin.booking.hold_store import HoldOutcome
from origin.booking.refusals import FINAL, KEPT_REFUSAL, PRODUCT_NOT_GRANTED, Refusal
from origin.booking.store import GroupAttempt, Keyed, MoveOutcome, Outcome
from origin.state import OriginState
from shared.problem import Problem

_encode = msgspec.json.encode
_read_appointment = msgspec.json.Decoder(AppointmentFacts).decode
_read_refusal = msgspec.json.Decoder(Refusal).decode


class _Shared(msgspec.Struct, tag_field="kept", tag="shared"):
    answer: UUID


_read_shared = msgspec.json.Decoder(_Shared).decode
_KEPT_SHARED = '{"kept":"shared"'


def confirmed(answer: str | None) -> str:
    """Return the confirmation that was kept as the answer, or raise the refusal that was."""
    assert answer is not None
    if answer.startswith(KEPT_REFUSAL):
        raise _read_refusal(answer).problem()
    return answer


async def read_answer(state: OriginState, answer: str | None) -> Appointment:
    """Return the appointment that was kept as the answer, or raise the refusal that was."""
    if answer is not None and answer.startswith(_KEPT_SHARED):
        answer = await state.gone.whole(_read_shared(answer).answer)
    return from_facts(_read_appointment(confirmed(answer)))


async def refuse(state: OriginState, asked: Keyed, outcome: Outcome | MoveOutcome, answer: str | None) -> Appointment:
    """Keep what the database refused, and give the answer that counts. ``answer``: what the refusal tells, JSON."""
    return await keep(state, asked, await refusal_of(state, asked.slot, outcome, answer))


async def refusal_of(
    state: OriginState, slot: int, outcome: Outcome | MoveOutcome | HoldOutcome, answer: str | None
) -> Refusal:
    """Return what an outcome for a slot is refused with, and what helps."""
    kind = FINAL[outcome]
    match outcome:
        case "slot_gone":
            return Refusal.of(kind, alternatives=(await state.nearest.around(slot, answer or "[]")).slots)
        case "product_not_granted":
            return Refusal.of(kind, reasons=[PRODUCT_NOT_GRANTED])
        case "already_booked":
            return Refusal.of(kind, appointment=msgspec.Raw((answer or "null").encode()))
        case "admission_used":
            state.gate.count_used()
            return Refusal.of(kind)
        case _:
            return Refusal.of(kind)


async def keep(state: OriginState, asked: Keyed, refusal: Refusal) -> Appointment:
    """Keep a refusal under its key; give the answer that counts: an earlier one, where another request was quicker."""
    return await read_answer(state, await kept(state, asked, refusal))


async def kept(state: OriginState, asked: Keyed | GroupAttempt, refusal: Refusal) -> str:
    """Keep a refusal under its key; return the answer that counts.

    Raises:
        Problem: 422 ``key_reused``.
    """
    counts = await state.bookings.remember(Refused(asked, refusal.kind.status, _encode(refusal).decode()))
    if counts is None:
        raise Problem(errors.KEY_REUSED)
    return counts
