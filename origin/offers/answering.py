"""See and answer offers. All of it is the person's alone, or of who booked for them, and never behind the queue."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from origin import errors
from origin.admission import Exchanged
from origin.identity import Person
from origin.offers.models import Offer
from origin.offers.store import Outcome
from origin.state import OriginState
from shared.problem import Problem, ProblemType

_REFUSED: Mapping[Outcome, ProblemType] = {
    "unknown": errors.OFFER_UNKNOWN,
    "offer_over": errors.OFFER_OVER,
    "offer_changed": errors.OFFER_CHANGED,
    "slot_gone": errors.SLOT_GONE,
    "frozen": errors.FROZEN,
    "no_other_time": errors.NO_OTHER_TIME,
}


async def offers(state: OriginState, person: Person, *, appointment: UUID | None = None) -> list[Offer]:
    """Return the person's offers, open ones first; of one appointment, where it is given.

    Raises:
        Problem: 503 ``store_unavailable``.
    """
    async with state.database.connection() as connection:
        return await state.offers.offers(connection, person.pseudonym, now=state.clock.now(), appointment=appointment)


async def offer(state: OriginState, person: Person, id_: UUID) -> Offer:
    """Return one of the person's offers.

    Raises:
        Problem: 404 ``offer_unknown``, also for other people's; 503 ``store_unavailable``.
    """
    async with state.database.connection() as connection:
        found = await state.offers.offers(connection, person.pseudonym, now=state.clock.now(), displaced=id_)
    if not found:
        raise Problem(errors.OFFER_UNKNOWN)
    return found[0]


async def accept(state: OriginState, person: Person, id_: UUID, slot: int) -> Offer:
    """Move the appointment to the time offered. Accepted again, it stays so.

    Raises:
        Problem: 404 ``offer_unknown``; 409 ``offer_over``, ``offer_changed``, ``slot_gone`` (another time is looked
            for); 423 ``frozen``; 503 ``store_unavailable``.
    """
    async with state.database.connection() as connection:
        outcome = await state.offers.accept(connection, person.pseudonym, id_, slot=slot, now=state.clock.now())
    return await _answered(state, person, id_, outcome)


async def another(state: OriginState, person: Person, id_: UUID, slot: int) -> Offer:
    """Ask for another time than this one, which stays as it is where there is none.

    Raises:
        Problem: 404 ``offer_unknown``; 409 ``offer_over``, ``offer_changed``, ``no_other_time``; 503
            ``store_unavailable``.
    """
    async with state.database.connection() as connection:
        outcome = await state.offers.another(
            connection, person.pseudonym, id_, slot=slot, hold=state.ids.uuid(), now=state.clock.now()
        )
    return await _answered(state, person, id_, outcome)


async def decline(state: OriginState, person: Person, id_: UUID, slot: int) -> Offer:
    """Take no time at all: the appointment is cancelled, and its person may come back.

    Raises:
        Problem: 404 ``offer_unknown``; 409 ``offer_over``, ``offer_changed``; 503 ``store_unavailable``.
    """
    async with state.database.connection() as connection:
        outcome = await state.offers.decline(connection, person.pseudonym, id_, slot=slot, now=state.clock.now())
    return await _answered(state, person, id_, outcome)


async def come_back(state: OriginState, person: Person, appointment: UUID) -> tuple[Exchanged, str]:
    """Let somebody in again whose appointment a site has cancelled; return until when, and the cookie's value.

    However often: all of it is one admission, and one booking.

    Raises:
        Problem: 409 ``no_way_back``; 503 ``store_unavailable``.
    """
    async with state.database.connection() as connection:
        way = await state.offers.way_back(connection, person.pseudonym, appointment, now=state.clock.now())
    if way is None:
        raise Problem(errors.NO_WAY_BACK)
    admission, cookie = await state.gate.let_back(way.room, way.admission)
    until = datetime.fromtimestamp(admission.exp, UTC)
    return Exchanged(admission.programme.room, admission.programme.id, until), cookie


async def _answered(state: OriginState, person: Person, id_: UUID, outcome: Outcome) -> Offer:
    refused = _REFUSED.get(outcome)
    if refused is not None:
        raise Problem(refused)
    state.metrics.displaced.labels(outcome).inc()
    return await offer(state, person, id_)
