"""Another time for an appointment that its site has cancelled: see it, answer it, come back without queueing."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import admission, errors
from origin.identity import Person
from origin.offers import answering
from origin.offers.models import Offer
from origin.state import OriginState
from origin.web.site import Site, see
from origin.web.visit import Visit, text_of
from origin.words import SlotWords, clock_time, day, of_slot, times
from shared.problem import Problem, ProblemType

_NOTED = frozenset({"offer_over", "offer_changed", "slot_gone", "no_other_time"})
_LARGEST_SLOT = 2**63 - 1
_LOOK_AGAIN_S = "5"
_Act = Callable[[OriginState, Person, UUID, int], Awaitable[Offer]]


@dataclass(frozen=True)
class OfferWords:
    """An offer, said. ``until``: on the clock of the place offered; empty where nothing is to be answered."""

    id: UUID
    appointment: UUID
    state: str
    before_site: str
    before_day: str
    before_time: str
    slot: SlotWords | None
    until: str
    reason: str
    may_return: bool

    @property
    def is_open(self) -> bool:
        """Whether its person has something to expect or to do."""
        return self.state in {"waiting", "offered"}


def offer_words(offer: Offer, language: str) -> OfferWords:
    """Return an offer in words."""
    until = ""
    if offer.slot is not None and offer.until is not None and offer.state == "offered":
        moment = offer.until.astimezone(ZoneInfo(offer.slot.site.time_zone))
        until = f"{day(moment.date(), language)}, {clock_time(moment, language)}"
    before = offer.before
    return OfferWords(
        id=offer.id,
        appointment=offer.appointment,
        state=offer.state,
        before_site=before.site,
        before_day=day(before.starts_at.date(), language),
        before_time=times(before.starts_at, before.ends_at, language),
        slot=None if offer.slot is None else of_slot(offer.slot, language),
        until=until,
        reason=offer.reason,
        may_return=offer.may_return,
    )


async def open_offers(visit: Visit, *, appointment: UUID | None = None) -> list[OfferWords]:
    """Return the offers of whoever is signed in, of one appointment where it is given; open ones first."""
    if visit.person is None:
        return []
    found = await answering.offers(visit.state, visit.person, appointment=appointment)
    return [offer_words(each, visit.language) for each in found]


class OfferPages:
    """``/offers/{id}`` and what is pressed there, ``/appointments/{id}/return``."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route("/offers/{id}", serve(self._show), methods=["GET"]),
            Route("/offers/{id}/accept", serve(self._accept), methods=["POST"]),
            Route("/offers/{id}/another", serve(self._another), methods=["POST"]),
            Route("/offers/{id}/decline", serve(self._ask), methods=["GET"]),
            Route("/offers/{id}/decline", serve(self._decline), methods=["POST"]),
            Route("/appointments/{id}/return", serve(self._return), methods=["POST"]),
        ]

    async def _show(self, visit: Visit) -> Response:
        offer = await self._offer(visit)
        note = visit.request.query_params.get("note", "")
        response = self._site.page(visit, "offer.html", offer=offer, note=note if note in _NOTED else "")
        if offer.state == "waiting":
            response.headers["Refresh"] = _LOOK_AGAIN_S
        return response

    async def _ask(self, visit: Visit) -> Response:
        offer = await self._offer(visit)
        if offer.state != "offered":
            return see(f"/offers/{offer.id}")
        return self._site.page(visit, "offer_decline.html", offer=offer)

    async def _accept(self, visit: Visit) -> Response:
        return await self._answer(visit, answering.accept)

    async def _another(self, visit: Visit) -> Response:
        return await self._answer(visit, answering.another)

    async def _decline(self, visit: Visit) -> Response:
        return await self._answer(visit, answering.decline)

    async def _answer(self, visit: Visit, act: _Act) -> Response:
        person, id_ = visit.require_person(), _id(visit)
        form = await visit.form()
        visit.check_form(form)
        slot = text_of(form, "slot", at_most=19)
        number = int(slot) if slot.isascii() and slot.isdigit() else 0
        try:
            await act(visit.state, person, id_, min(number, _LARGEST_SLOT))
        except Problem as refused:
            if refused.kind.code not in _NOTED:
                raise
            return see(f"/offers/{id_}?note={refused.kind.code}")
        return see(f"/offers/{id_}")

    async def _return(self, visit: Visit) -> Response:
        """Let in again; what comes next are the questions, for the answers may have changed."""
        person = visit.require_person()
        visit.check_form(await visit.form())
        appointment = _as_id(visit, errors.APPOINTMENT_UNKNOWN)
        try:
            exchanged, cookie = await answering.come_back(visit.state, person, appointment)
        except Problem as refused:
            if refused.kind is not errors.NO_WAY_BACK:
                raise
            return see(f"/appointments/{appointment}")
        response = see("/eligibility")
        admission.set_cookie(visit.state, response, cookie, exchanged.expires_at)
        return response

    async def _offer(self, visit: Visit) -> OfferWords:
        return offer_words(await answering.offer(visit.state, visit.require_person(), _id(visit)), visit.language)


def _id(visit: Visit) -> UUID:
    return _as_id(visit, errors.OFFER_UNKNOWN)


def _as_id(visit: Visit, unknown: ProblemType) -> UUID:
    try:
        return UUID(visit.request.path_params["id"])
    except ValueError:
        raise Problem(unknown) from None
