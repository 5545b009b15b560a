"""Join the waitlist, see it, leave it, take the place that is offered."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

from origin import errors
from origin.admission import Exchanged
from origin.gate import Admission
from origin.identity import Person
from origin.state import OriginState
from origin.waitlist.models import Entry, JoinForm
from origin.waitlist.store import Joining, JoinOutcome, Kept
from shared.problem import INVALID_BODY, Problem, ProblemType

_LONGEST = timedelta(days=62)
_REFUSED: Mapping[JoinOutcome, ProblemType] = {
    "no_waitlist": errors.NO_WAITLIST,
    "decision_unknown": errors.DECISION_UNKNOWN,
    "decision_expired": errors.DECISION_EXPIRED,
    "not_eligible": errors.INELIGIBLE,
    "site_unknown": errors.SITE_UNKNOWN,
    "admission_used": errors.ADMISSION_USED,
    "already_booked": errors.ALREADY_BOOKED,
    "already_waiting": errors.ALREADY_WAITING,
}


async def join(state: OriginState, admission: Admission, person: Person, form: JoinForm) -> Entry:
    """Join the waitlist of the programme that the caller was let through to, with that admission.

    Raises:
        Problem: 403 ``decision_expired``, ``ineligible``; 404 ``decision_unknown``, ``site_unknown``; 409
            ``no_waitlist``, ``admission_used``, ``already_booked``, ``already_waiting``; 422 ``invalid_body``; 503
            ``store_unavailable``.
    """
    now, entry = state.clock.now(), state.ids.uuid()
    _check(form, now)
    joining = Joining(
        entry=entry,
        programme=admission.programme.id,
        person=person.pseudonym,
        admission=admission.id,
        decision=form.decision_ref,
        site=form.site_id,
        lat=form.lat,
        lng=form.lng,
        radius_km=form.radius_km,
        starts_from=form.starts_from,
        starts_before=form.starts_before,
        now=now,
    )
    async with state.database.connection() as connection:
        outcome = await state.waitlist.join(connection, joining)
        if outcome != "joined":
            raise Problem(_REFUSED[outcome])
        state.metrics.waitlist.labels("joined").inc()
        return (await state.waitlist.entries(connection, person.pseudonym, now=now, entry=entry))[0].entry


async def entries(state: OriginState, person: Person) -> list[Entry]:
    """Return the person's entries, open ones first.

    Raises:
        Problem: 503 ``store_unavailable``.
    """
    async with state.database.connection() as connection:
        found = await state.waitlist.entries(connection, person.pseudonym, now=state.clock.now())
    return [each.entry for each in found]


async def leave(state: OriginState, person: Person, entry: UUID) -> None:
    """Leave the waitlist; left again, nothing changes.

    Raises:
        Problem: 404 ``entry_unknown``; 503 ``store_unavailable``.
    """
    async with state.database.connection() as connection:
        if not await state.waitlist.leave(connection, person.pseudonym, entry, now=state.clock.now()):
            raise Problem(errors.ENTRY_UNKNOWN)


async def enter(state: OriginState, person: Person, entry: UUID) -> tuple[Entry, Exchanged, str]:
    """Let somebody in again to whom a place is offered: the entry, until when, and the admission cookie's value.

    It is the admission that they joined with: it books once, whatever else was booked with it.

    Raises:
        Problem: 404 ``entry_unknown``; 409 ``offer_over``; 503 ``store_unavailable``.
    """
    kept = await _one(state, person, entry)
    if kept.entry.slot is None:
        raise Problem(errors.OFFER_OVER)
    admission, cookie = await state.gate.let_back(kept.room, kept.admission)
    until = datetime.fromtimestamp(admission.exp, UTC)
    return kept.entry, Exchanged(admission.programme.room, admission.programme.id, until), cookie


async def _one(state: OriginState, person: Person, entry: UUID) -> Kept:
    async with state.database.connection() as connection:
        found = await state.waitlist.entries(connection, person.pseudonym, now=state.clock.now(), entry=entry)
    if not found:
        raise Problem(errors.ENTRY_UNKNOWN)
    return found[0]


def _check(form: JoinForm, now: datetime) -> None:
    point = form.lat, form.lng, form.radius_km
    if (form.site_id is None) != (None not in point) or (form.site_id is not None and point != (None, None, None)):
        raise Problem(INVALID_BODY, "give `site_id`, or `lat`, `lng` and `radius_km`")
    if not now < form.starts_before <= now + _LONGEST or form.starts_from >= form.starts_before:
        raise Problem(INVALID_BODY, "`from` and `to` must end within 62 days, in their order")
