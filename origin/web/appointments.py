"""One's own appointment: see it, put it into a calendar, cancel it."""

from uuid import UUID

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.booking.appointments import Appointment
from origin.booking.keep import cancel, view
from origin.web import party
from origin.web.calendar import calendar
from origin.web.site import Site, see
from origin.web.visit import Visit
from origin.words import SlotWords, of_appointment
from shared.problem import Problem


class AppointmentPages:
    """``/appointments/{id}``, ``.ics``, ``/cancel``."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route("/appointments/{id}.ics", serve(self._download), methods=["GET"]),
            Route("/appointments/{id}/cancel", serve(self._ask), methods=["GET"]),
            Route("/appointments/{id}/cancel", serve(self._cancel), methods=["POST"]),
            Route("/appointments/{id}", serve(self._show), methods=["GET"]),
        ]

    async def _show(self, visit: Visit) -> Response:
        appointment = await _own(visit)
        return self._site.page(
            visit,
            "appointment.html",
            id=appointment.id,
            slot=of_appointment(appointment, visit.language),
            name=(await party.names(visit)).get(appointment.member) if appointment.member else "",
            cancelled=appointment.status == "cancelled",
            booked=visit.request.query_params.get("booked") == "1",
        )

    async def _download(self, visit: Visit) -> Response:
        appointment = await _own(visit)
        headers = {"Content-Disposition": 'attachment; filename="appointment.ics"', "Cache-Control": "no-store"}
        content = calendar(appointment, visit.state.clock.now(), visit.language)
        return Response(content, headers=headers, media_type="text/calendar; charset=utf-8")

    async def _ask(self, visit: Visit) -> Response:
        appointment = await _own(visit)
        if appointment.status == "cancelled":
            return see(f"/appointments/{appointment.id}")
        said = of_appointment(appointment, visit.language)
        return self._site.page(visit, "cancel.html", id=appointment.id, slot=said, next=await _next(visit, appointment))

    async def _cancel(self, visit: Visit) -> Response:
        person = visit.require_person()
        visit.check_form(await visit.form())
        await cancel(visit.state, person, _id(visit))
        return see(f"/appointments/{_id(visit)}")


async def _own(visit: Visit) -> Appointment:
    return await view(visit.state, visit.require_person(), _id(visit))


async def _next(visit: Visit, appointment: Appointment) -> SlotWords | None:
    """Return the next dose that was booked together with an appointment, which goes with it."""
    async with visit.state.database.connection() as connection:
        together = await visit.state.bookings.store.together(
            connection, appointment.id, person=visit.require_person().pseudonym
        )
    behind = [
        each
        for each in together
        if (each.member, each.dose) == (appointment.member, appointment.dose + 1) and each.status != "cancelled"
    ]
    return of_appointment(behind[0], visit.language) if behind else None


def _id(visit: Visit) -> UUID:
    try:
        return UUID(visit.request.path_params["id"])
    except ValueError:
        raise Problem(errors.APPOINTMENT_UNKNOWN) from None
