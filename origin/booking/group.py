"""Book several appointments together: both doses of a course, or a household's. All of them, or none."""

from time import perf_counter
from typing import Annotated
from uuid import UUID

import msgspec

from origin import errors
from origin.booking.answers import confirmed, kept, refusal_of
from origin.booking.appointments import Appointment, AppointmentFacts, from_facts
from origin.booking.book import MOST_RULE_CHANGES, ineligible, redecide
from origin.booking.key import fingerprint
from origin.booking.refusals import PASSING, Refusal
from origin.booking.store import Attempt, GroupAttempt, Part, Result
from origin.gate import Admission
from origin.household.members import MOST_MEMBERS
from origin.identity import Person
from origin.inventory.courses import dose_of, in_interval, next_doses
from origin.inventory.slots import Slot, SlotId
from origin.state import OriginState
from shared.problem import INVALID_BODY, Problem

PATH = "/v1/bookings"
MOST_PARTS = 2 * (MOST_MEMBERS + 1)
"""Both doses, for everybody of a household and whoever books."""

_ALTERNATIVES = 6
_encode = msgspec.json.Encoder().encode
_read_booked = msgspec.json.Decoder(list[AppointmentFacts]).decode


class PartForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One appointment. ``member``: for whom of the household; null, for the caller.

    ``follows``: the part before, counted from 1, behind whose dose this one comes, for the same person, under the same
    decision.
    """

    slot_id: SlotId
    decision_ref: UUID
    member: UUID | None = None
    follows: Annotated[int, msgspec.Meta(ge=1, le=MOST_PARTS)] | None = None


class BookingForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is booked together."""

    parts: Annotated[list[PartForm], msgspec.Meta(min_length=1, max_length=MOST_PARTS)]


class Booking(msgspec.Struct, frozen=True):
    """What was booked together, one appointment a part, in their order."""

    appointments: list[Appointment]


async def book_together(
    state: OriginState, admission: Admission, person: Person, key: str, form: BookingForm
) -> Booking:
    """Book all parts or none, once per ``key``, with one admission; the same key and form get the same answer.

    Raises:
        Problem: as ``book``, with ``part``, counted from 1, that was refused; also ``interval_not_kept``,
            ``next_dose_missing``, ``member_unknown``; ``invalid_body`` for parts that do not fit each other.
    """
    _check(form.parts)
    state.metrics.book_attempted.inc()
    started = perf_counter()
    try:
        answer = await _book(state, admission, await _attempt(state, admission, person, key, form))
    except Problem as refused:
        state.metrics.book_refused.labels(refused.kind.code).inc()
        raise
    finally:
        state.metrics.booking_seconds.observe(perf_counter() - started)
    booked = zip(_read_booked(answer), form.parts, strict=True)
    return Booking([from_facts(msgspec.structs.replace(facts, member=part.member)) for facts, part in booked])


def _check(parts: list[PartForm]) -> None:
    followed = set[int]()
    for number, part in enumerate(parts, start=1):
        if part.follows is None:
            continue
        fits = part.follows < number and part.follows not in followed
        if not fits or parts[part.follows - 1].member != part.member:
            told = (
                f"follows a part before it, of the same person, that nothing else follows - at `$.parts[{number - 1}]`"
            )
            raise Problem(INVALID_BODY, told)
        followed.add(part.follows)


async def _attempt(
    state: OriginState, admission: Admission, person: Person, key: str, form: BookingForm
) -> GroupAttempt:
    members = [part.member for part in form.parts if part.member is not None]
    known = await state.households.persons(person, members) if members else {}
    return GroupAttempt(
        person=person.pseudonym,
        key=key,
        fingerprint=fingerprint("POST", PATH, _encode(form)),
        programme=admission.programme.id,
        admission=admission.id,
        parts=tuple(
            Part(
                person=person.pseudonym if part.member is None else known.get(part.member),
                slot=part.slot_id,
                decision=part.decision_ref,
                follows=part.follows,
                appointment=state.ids.uuid(),
            )
            for part in form.parts
        ),
        now=state.clock.now(),
    )


async def _book(state: OriginState, admission: Admission, attempt: GroupAttempt) -> str:
    decided_again = 0
    while decided_again <= MOST_RULE_CHANGES * len(attempt.parts):
        result = await state.bookings.book_group(attempt)
        match result.outcome:
            case "booked":
                state.metrics.booked.inc(len(attempt.parts))
                state.crowd.booked(admission.id)
                return confirmed(result.answer)
            case "replayed":
                return confirmed(result.answer)
            case "rules_changed" | "not_eligible":
                decided_again += 1
                again = await _decide_again(state, admission, attempt, result)
                if isinstance(again, Refusal):
                    return confirmed(await kept(state, attempt, _of_part(again, result)))
                attempt = again
            case "key_in_flight" | "key_reused" | "frozen":
                raise Problem(PASSING[result.outcome])
            case _:
                refusal = await _refusal(state, attempt, result)
                return confirmed(await kept(state, attempt, _of_part(refusal, result)))
    raise Problem(errors.KEY_IN_FLIGHT, "the rules are changing at this moment; send the same request again")


def _of_part(refusal: Refusal, result: Result) -> Refusal:
    return Refusal(refusal.code, refusal.members | {"part": msgspec.Raw(_encode(result.part))})


async def _decide_again(
    state: OriginState, admission: Admission, attempt: GroupAttempt, result: Result
) -> GroupAttempt | Refusal:
    """Return the attempt with a decision made again in all parts that rest on it, or the refusal where it says no."""
    asked = _alone(attempt, result)
    decision = await redecide(state, admission, asked)
    if decision.outcome != "eligible":
        return ineligible(decision)
    parts = tuple(
        msgspec.structs.replace(part, decision=decision.decision_ref) if part.decision == asked.decision else part
        for part in attempt.parts
    )
    return msgspec.structs.replace(attempt, parts=parts, now=state.clock.now())


def _alone(attempt: GroupAttempt, result: Result) -> Attempt:
    """Return the refused part as if it were booked alone."""
    assert result.part is not None
    part = attempt.parts[result.part - 1]
    return Attempt(
        person=part.person or b"",
        key=attempt.key,
        fingerprint=attempt.fingerprint,
        programme=attempt.programme,
        slot=part.slot,
        decision=part.decision,
        admission=attempt.admission,
        appointment=part.appointment,
        now=attempt.now,
    )


async def _refusal(state: OriginState, attempt: GroupAttempt, result: Result) -> Refusal:
    """Return the refusal of a part; what is offered instead keeps the interval to the other dose."""
    assert result.part is not None
    part = attempt.parts[result.part - 1]
    refusal = await refusal_of(state, part.slot, result.outcome, result.answer)
    after = next((each for each in attempt.parts if each.follows == result.part), None)
    if result.outcome != "slot_gone" or (part.follows is None and after is None):
        return refusal
    found = msgspec.json.decode(refusal.members["alternatives"], type=list[Slot])
    return Refusal(
        refusal.code, {"alternatives": msgspec.Raw(_encode(await _fitting(state, attempt, part, after, found)))}
    )


async def _fitting(
    state: OriginState, attempt: GroupAttempt, part: Part, after: Part | None, found: list[Slot]
) -> list[Slot]:
    programme = attempt.programme
    async with state.database.connection() as connection:
        dose = await dose_of(connection, part.decision) + _doses_before(attempt, part)
        if part.follows is not None:
            first = attempt.parts[part.follows - 1].slot
            found = await next_doses(
                connection, first, programme=programme, dose=dose - 1, now=attempt.now, at_most=_ALTERNATIVES
            )
        if after is not None:
            slots = [each.id for each in found]
            fits = await in_interval(connection, slots, programme=programme, dose=dose, next_slot=after.slot)
            found = [each for each in found if each.id in fits]
    return found


def _doses_before(attempt: GroupAttempt, part: Part) -> int:
    before = 0
    while part.follows is not None:
        before, part = before + 1, attempt.parts[part.follows - 1]
    return before
