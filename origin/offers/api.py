"""``/v1/offers``: see, accept, decline, ask for another; ``/v1/appointments/{id}:return``: the way back."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from origin import admission, errors
from origin.booking.api import appointment_id
from origin.booking.book import PATH as APPOINTMENTS
from origin.identity import Person
from origin.offers import answering
from origin.offers.models import AnswerForm, Offer, Offers
from origin.state import OriginState, state_of
from shared.http import Endpoint, Handler, Json, read_body
from shared.problem import UNAUTHENTICATED, Problem, ProblemType

PATH = "/v1/offers"


async def list_offers(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    person = await state.people.caller(request)
    return Json(Offers(await answering.offers(state, person)))


async def view_offer(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    person = await state.people.caller(request)
    return Json(await answering.offer(state, person, offer_id(request)))


def _answer(act: Callable[[OriginState, Person, UUID, int], Awaitable[Offer]]) -> Handler:
    async def handle(request: Request) -> Response:
        state = state_of(request)
        person = await state.people.caller(request)
        form = await read_body(request, AnswerForm)
        return Json(await act(state, person, offer_id(request), form.slot_id))

    return handle


async def return_to_book(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    person = await state.people.caller(request)
    exchanged, cookie = await answering.come_back(state, person, appointment_id(request))
    response = Json(exchanged)
    admission.set_cookie(state, response, cookie, exchanged.expires_at)
    return response


def offer_id(request: Request) -> UUID:
    """Return the id that the path names; raises Problem 404 ``offer_unknown``."""
    try:
        return UUID(request.path_params["id"])
    except ValueError:
        raise Problem(errors.OFFER_UNKNOWN) from None


_ID = {"id": {"type": "string", "format": "uuid"}}
_ANSWERED = (UNAUTHENTICATED, errors.OFFER_UNKNOWN, errors.OFFER_OVER, errors.OFFER_CHANGED)


def _answers(
    name: str, act: Callable[[OriginState, Person, UUID, int], Awaitable[Offer]], summary: str, *further: ProblemType
) -> Endpoint:
    return Endpoint(
        "POST",
        f"{PATH}/{{id}}:{name}",
        _answer(act),
        summary,
        answers={200: Offer},
        body=AnswerForm,
        path_params=_ID,
        problems=(*_ANSWERED, *further),
        security=("bearer",),
    )


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        list_offers,
        "One's own offers: other times for appointments whose site has cancelled",
        answers={200: Offers},
        problems=(UNAUTHENTICATED,),
        security=("bearer",),
    ),
    Endpoint(
        "GET",
        PATH + "/{id}",
        view_offer,
        "One of them",
        answers={200: Offer},
        path_params=_ID,
        problems=(UNAUTHENTICATED, errors.OFFER_UNKNOWN),
        security=("bearer",),
    ),
    _answers(
        "accept",
        answering.accept,
        "Move the appointment to the time offered; never behind the queue",
        errors.SLOT_GONE,
        errors.FROZEN,
    ),
    _answers("another", answering.another, "Ask for another time; this one stays until there is", errors.NO_OTHER_TIME),
    _answers("decline", answering.decline, "Take none: the appointment is cancelled, and one may come back"),
    Endpoint(
        "POST",
        APPOINTMENTS + "/{id}:return",
        return_to_book,
        "Book again without the queue after a site has cancelled; one booking, however often it is asked for",
        answers={200: admission.Exchanged},
        path_params=_ID,
        problems=(UNAUTHENTICATED, errors.APPOINTMENT_UNKNOWN, errors.NO_WAY_BACK),
        security=("bearer",),
    ),
)
