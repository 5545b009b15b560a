"""One's own appointment: see it, put it into a calendar, cancel it."""

from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.booking.appointments import Appointment
from origin.booking.keep import cancel, terms, view
from origin.sites.models import reference
from origin.web import party
from origin.web.calendar import calendar
from origin.web.offers import open_offers
from origin.web.opened import appointment_of
from origin.web.site import Site, see
from origin.web.visit import Visit
from origin.words import SlotWords, TermsWords, of_appointment, of_terms
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
        asked = visit.request.query_params
        offers = await open_offers(visit, appointment=appointment.id)
        return self._site.page(
            visit,
            "appointment.html",
            id=appointment.id,
            reference=reference(appointment.id),
            slot=of_appointment(appointment, visit.language),
            name=(await party.names(visit)).get(appointment.member) if appointment.member else "",
            cancelled=appointment.status == "cancelled",
            terms=await _terms(visit, appointment),
            note=next((note for note in ("booked", "moved") if asked.get(note) == "1"), ""),
            offer=offers[0] if offers else None,
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
        told = await _terms(visit, appointment)
        if not told.may_cancel:
            raise Problem(errors.TOO_LATE if told.is_over else errors.TOO_OFTEN)
        said = of_appointment(appointment, visit.language)
        behind = await _next(visit, appointment)
        return self._site.page(visit, "cancel.html", id=appointment.id, slot=said, terms=told, next=behind)

    async def _cancel(self, visit: Visit) -> Response:
        person = visit.require_person()
        visit.check_form(await visit.form())
        page = f"/appointments/{_id(visit)}"
        try:
            await cancel(visit.state, person, _id(visit))
        except Problem as refused:
            return self._site.refuse(visit, refused, path=page)
        return see(page)


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


async def _terms(visit: Visit, appointment: Appointment) -> TermsWords:
    found = await terms(visit.state, visit.require_person(), appointment.id)
    zone = ZoneInfo(appointment.site.time_zone)
    return of_terms(found, zone, visit.state.clock.now(), visit.language)


def _id(visit: Visit) -> UUID:
    return appointment_of(visit.request.path_params["id"])
