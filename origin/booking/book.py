"""Book a slot. What is confirmed is committed; what is refused has cost nothing."""

from time import perf_counter
from uuid import UUID

import msgspec

from origin import errors
from origin.booking.answers import keep, read_answer, refuse
from origin.booking.appointments import Appointment
from origin.booking.key import fingerprint
from origin.booking.refusals import PASSING, Refusal
from origin.booking.store import Attempt, Wish
from origin.eligibility.decisions import Decision, no_rules_refused
from origin.eligibility.facts import FactsLost
from origin.gate import Admission
from origin.identity import Person
from origin.inventory.slots import SlotId
from origin.state import OriginState
from shared.problem import Problem

PATH = "/v1/appointments"
MOST_RULE_CHANGES = 3
_encode = msgspec.json.Encoder().encode


class BookForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which slot, and the decision that allows it."""

    slot_id: SlotId
    decision_ref: UUID


async def book(state: OriginState, admission: Admission, person: Person, key: str, form: BookForm) -> Appointment:
    """Book, once per ``key``; the same key and form get the same answer for 24 hours.

    Raises:
        Problem: ``slot_gone`` (with ``alternatives``), ``ineligible`` (with ``reasons``), ``already_booked``,
            ``admission_used``, ``slot_past``, ``slot_unknown``, ``decision_unknown``, ``decision_expired``,
            ``override_ended``; ``key_in_flight``, ``key_reused``, ``frozen``; 503 ``store_unavailable``,
            ``rules_missing``, ``rules_unavailable``.
    """
    state.metrics.book_attempted.inc()
    started = perf_counter()
    try:
        wish = _wish(state, admission, person, key, form)
        told = await state.gone.refuse(wish)
        if told is not None:
            raise told.problem()
        appointment = await _book(state, admission, Attempt.of(wish, state.ids.uuid()))
    except Problem as refused:
        state.metrics.book_refused.labels(refused.kind.code).inc()
        raise
    finally:
        state.metrics.booking_seconds.observe(perf_counter() - started)
    return appointment


def _wish(state: OriginState, admission: Admission, person: Person, key: str, form: BookForm) -> Wish:
    return Wish(
        person=person.pseudonym,
        key=key,
        fingerprint=fingerprint("POST", PATH, _encode(form)),
        programme=admission.programme.id,
        slot=form.slot_id,
        decision=form.decision_ref,
        admission=admission.id,
        now=state.clock.now(),
    )


async def _book(state: OriginState, admission: Admission, attempt: Attempt) -> Appointment:
    for _ in range(MOST_RULE_CHANGES):
        result = await state.bookings.book(attempt)
        match result.outcome:
            case "booked":
                state.metrics.booked.inc()
                state.crowd.booked(admission.id)
                return await read_answer(state, result.answer)
            case "replayed":
                return await read_answer(state, result.answer)
            case "rules_changed" | "not_eligible":
                decision = await redecide(state, admission, attempt)
                if decision.outcome != "eligible":
                    return await keep(state, attempt, ineligible(decision))
                attempt = msgspec.structs.replace(attempt, decision=decision.decision_ref, now=state.clock.now())
            case "key_in_flight" | "key_reused" | "frozen":
                raise Problem(PASSING[result.outcome])
            case _:
                return await refuse(state, attempt, result.outcome, result.answer)
    raise Problem(errors.KEY_IN_FLIGHT, "the rules are changing at this moment; send the same request again")


async def redecide(state: OriginState, admission: Admission, attempt: Attempt) -> Decision:
    """Decide again on the facts of the attempt's decision, under the rules in force now.

    Raises:
        Problem: 403 ``decision_expired``, where the facts are gone; 503 as ``book``.
    """
    try:
        with no_rules_refused():
            decision = await state.decisions.redecide(admission.programme, attempt.person, attempt.decision)
    except FactsLost:
        raise Problem(errors.DECISION_EXPIRED) from None
    state.metrics.evaluated.labels(decision.outcome, str(decision.rule_version)).inc()
    return decision


def ineligible(decision: Decision) -> Refusal:
    """Return the refusal for a decision, made again, that allows nothing."""
    return Refusal.of(
        errors.INELIGIBLE, reasons=decision.reasons, missing=decision.missing, rule_version=decision.rule_version
    )
