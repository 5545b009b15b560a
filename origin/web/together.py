"""What was booked together, on one page."""

from uuid import UUID

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.web.site import Site
from origin.web.visit import Visit
from origin.words import of_appointment
from shared.problem import Problem


class TogetherPages:
    """``/appointments/{id}/together``."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [Route("/appointments/{id}/together", self._site.endpoint(self._show), methods=["GET"])]

    async def _show(self, visit: Visit) -> Response:
        person = visit.require_person()
        try:
            id_ = UUID(visit.request.path_params["id"])
        except ValueError:
            raise Problem(errors.APPOINTMENT_UNKNOWN) from None
        async with visit.state.database.connection() as connection:
            found = await visit.state.bookings.store.together(connection, id_, person=person.pseudonym)
        if not found:
            raise Problem(errors.APPOINTMENT_UNKNOWN)
        members = {each.id: each.name for each in await visit.state.households.all(person)}
        return self._site.page(
            visit,
            "together.html",
            parts=[
                {
                    "id": each.id,
                    "slot": of_appointment(each, visit.language),
                    "cancelled": each.status == "cancelled",
                    "member": None if each.member is None else members.get(each.member, ""),
                }
                for each in found
            ],
            household=any(each.member is not None for each in found),
            booked=visit.request.query_params.get("booked") == "1",
        )
