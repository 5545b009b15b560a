"""View and cancel an appointment, as its person or as who booked it for them; never behind the queue."""

from uuid import UUID

from origin import errors
from origin.booking.again import ask_again
from origin.booking.appointments import Appointment
from origin.booking.hold_store import Terms
from origin.identity import Person
from origin.state import OriginState
from shared.problem import Problem


async def view(state: OriginState, person: Person, appointment: UUID) -> Appointment:
    """Return an appointment of the person, or one that they booked for another.

    Raises:
        Problem: 404 ``appointment_unknown``, also for other people's; 503 ``store_unavailable``.
    """
    async with state.database.connection() as connection:
        found = await state.bookings.store.appointment(connection, appointment, person=person.pseudonym)
    if found is None:
        raise Problem(errors.APPOINTMENT_UNKNOWN)
    return found


async def terms(state: OriginState, person: Person, appointment: UUID) -> Terms:
    """Return until when, and how often still, an appointment may be changed.

    Raises:
        Problem: 404 ``appointment_unknown``, also for other people's; 503 ``store_unavailable``.
    """
    async with state.database.connection() as connection:
        found = await state.bookings.store.holds.terms(connection, appointment, person=person.pseudonym)
    if found is None:
        raise Problem(errors.APPOINTMENT_UNKNOWN)
    return found


async def upcoming(state: OriginState, person: Person) -> list[Appointment]:
    """Return the person's appointments that are still to come, soonest first.

    Raises:
        Problem: 503 ``store_unavailable``.
    """
    async with state.database.connection() as connection:
        return await state.bookings.store.active(connection, person.pseudonym, now=state.clock.now())


async def cancel(state: OriginState, person: Person, appointment: UUID) -> None:
    """Cancel the person's appointment, or one that they booked for another; its place can be booked at once.

    Cancelling again changes nothing.

    Raises:
        Problem: 404 ``appointment_unknown``, also for other people's; 409 ``too_late``, ``too_often``; 503
            ``store_unavailable``.
    """
    now, store = state.clock.now(), state.bookings.store
    async with state.database.connection() as connection:
        outcome = await ask_again(
            state.metrics, lambda: store.cancel(connection, appointment, person=person.pseudonym, now=now)
        )
    match outcome:
        case "cancelled":
            state.metrics.cancelled.inc()
        case "already_cancelled":
            pass
        case "unknown":
            raise Problem(errors.APPOINTMENT_UNKNOWN)
        case "too_late":
            raise Problem(errors.TOO_LATE)
        case "too_often":
            raise Problem(errors.TOO_OFTEN)
