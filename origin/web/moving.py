"""Another time for an appointment: chosen from the free ones, kept while both are compared, and then moved to.

The old time is kept until the new one is certain. Nobody queues for it, and nobody is asked anything again.
"""

from dataclasses import dataclass
from uuid import UUID

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.booking.appointments import Appointment
from origin.booking.hold import HoldForm
from origin.booking.hold_store import Terms
from origin.booking.keep import terms, view
from origin.booking.reschedule import RescheduleForm, reschedule
from origin.identity import Person
from origin.web.answers import offered, settled
from origin.web.opened import appointment_of, give_back, keep, kept_until, key_of, slot_in
from origin.web.site import Site, see
from origin.web.visit import Visit
from origin.words import of_appointment, of_slot
from shared import problem
from shared.ids import Ids
from shared.problem import Problem

_SLOT_LOST = frozenset({errors.SLOT_PAST, errors.SLOT_UNKNOWN, errors.INELIGIBLE})


@dataclass(frozen=True)
class Mine:
    """An appointment that its person may move now, and on which terms."""

    person: Person
    appointment: Appointment
    terms: Terms

    @property
    def page(self) -> str:
        """Where it is shown."""
        return f"/appointments/{self.appointment.id}"

    @property
    def way(self) -> str:
        """Where the times that it could be moved to are opened."""
        return f"{self.page}/slots"

    @property
    def search(self) -> str:
        """Where they are chosen."""
        return f"/slots?move={self.appointment.id}"


async def to_move(visit: Visit, text: str) -> Mine:
    """Return the appointment of this id.

    Raises:
        Problem: ``appointment_unknown``, ``unauthenticated``; ``appointment_cancelled``, ``too_late``, ``too_often``.
    """
    person = visit.require_person()
    id_ = appointment_of(text)
    mine = Mine(person, await view(visit.state, person, id_), await terms(visit.state, person, id_))
    if mine.appointment.status == "cancelled":
        raise Problem(errors.APPOINTMENT_CANCELLED)
    if mine.appointment.status != "confirmed" or mine.terms.until <= visit.state.clock.now():
        raise Problem(errors.TOO_LATE)
    if mine.terms.moves_left is not None and mine.terms.moves_left <= 0:
        raise Problem(errors.TOO_OFTEN)
    return mine


class MovePages:
    """``/appointments/{id}/slots/{slot}/confirm``, and ``/hold`` and ``/release`` of it."""

    def __init__(self, site: Site, ids: Ids) -> None:
        self._site = site
        self._ids = ids

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve, path = self._site.endpoint, "/appointments/{id}/slots/{slot:int}"
        return [
            Route(f"{path}/confirm", serve(self._ask), methods=["GET"]),
            Route(f"{path}/confirm", serve(self._move), methods=["POST"]),
            Route(f"{path}/hold", serve(self._keep), methods=["POST"]),
            Route(f"{path}/release", serve(self._leave), methods=["POST"]),
        ]

    async def _ask(self, visit: Visit) -> Response:
        mine = await _mine(visit)
        async with visit.state.database.connection() as connection:
            slot = await visit.state.slots.one(connection, slot_in(visit), programme=mine.terms.programme)
        if slot is None:
            return self._refused(visit, Problem(errors.SLOT_UNKNOWN), mine)
        return self._site.page(
            visit,
            "move.html",
            slot=of_slot(slot, visit.language, dose=mine.appointment.dose),
            old=of_appointment(mine.appointment, visit.language),
            key=str(self._ids.uuid()),
            held=await kept_until(visit, mine.person, slot.id),
            way=mine.way,
            moving=mine,
        )

    async def _keep(self, visit: Visit) -> Response:
        page = visit.request.url.path.removesuffix("hold") + "confirm"
        try:
            visit.check_form(await visit.form())
            mine = await _mine(visit)
        except Problem as refused:
            return self._site.refuse(visit, refused, path=page)
        wanted = HoldForm(slot_in(visit), appointment_id=mine.appointment.id)
        try:
            return await keep(visit, mine.person, wanted, programme=None, page=page)
        except Problem as refused:
            return self._refused(visit, refused, mine)

    async def _leave(self, visit: Visit) -> Response:
        visit.check_form(await visit.form())
        person = visit.require_person()
        return await give_back(visit, person, slot_in(visit), page=f"/slots?move={_id(visit)}")

    async def _move(self, visit: Visit) -> Response:
        """Move. It is for the database to say whether that may be: this may be the second press, behind the first."""
        form = await visit.form()
        visit.check_form(form)
        person = visit.require_person()
        key, wanted, id_ = key_of(form), RescheduleForm(slot_in(visit)), _id(visit)
        try:
            await settled(lambda: reschedule(visit.state, person, key, id_, wanted))
        except Problem as refused:
            if refused.kind is problem.STORE_UNAVAILABLE:
                return self._site.unsure(visit, refused, key, moving=True)
            return self._refused(visit, refused, await _mine(visit))
        return see(f"/appointments/{id_}?moved=1")

    def _refused(self, visit: Visit, refused: Problem, mine: Mine) -> Response:
        if refused.kind is errors.SLOT_GONE:
            slots = [of_slot(slot, visit.language, key=str(self._ids.uuid())) for slot in offered(refused)]
            return self._site.page(visit, "taken.html", 409, alternatives=slots, way=mine.way, moving=mine)
        if refused.kind in _SLOT_LOST:
            return self._site.refuse(visit, refused, path=mine.search, said="other_time")
        return self._site.refuse(visit, refused, path=mine.page)


async def _mine(visit: Visit) -> Mine:
    return await to_move(visit, visit.request.path_params["id"])


def _id(visit: Visit) -> UUID:
    return appointment_of(visit.request.path_params["id"])
