"""``/v1/eligibility/decisions…``: one's own decisions and one's household's, told kindly."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.eligibility.own import MemberDecisions, Mirror, OwnDecision, OwnDecisions
from origin.identity import Person
from origin.state import OriginState, state_of
from origin.words import texts_in
from shared.http import Endpoint, Json
from shared.problem import UNAUTHENTICATED, Problem
from shared.web.languages import headers, language_of

PATH = "/v1/eligibility/decisions"


def mirror(state: OriginState, language: str) -> Mirror:
    """Return what tells people about themselves in a language."""
    decisions = state.decisions
    say = texts_in(language).gettext
    return Mirror(state.database, decisions.rules, decisions.sealer, state.clock.now(), language, say)


async def told_to(state: OriginState, person: Person, language: str) -> OwnDecisions:
    """Return a person's decisions and, with their names, those about people who are in their household now.

    Raises:
        Problem: 503 ``store_unavailable``.
    """
    told = await mirror(state, language).all(person.pseudonym)
    members = await state.households.all(person) if told.keys() - {None} else []
    return OwnDecisions(
        told.get(None, []), [MemberDecisions(each.id, each.name, told[each.id]) for each in members if each.id in told]
    )


def reference(text: str) -> UUID:
    """Return the reference; raises Problem ``decision_unknown`` where it is none."""
    try:
        return UUID(text)
    except ValueError:
        raise Problem(errors.DECISION_UNKNOWN) from None


async def list_own_decisions(request: Request) -> Response:
    """Handle the request."""
    state, language = state_of(request), language_of(request.scope)
    person = await state.people.caller(request)
    return Json(await told_to(state, person, language), 200, **headers(language))


async def read_own_decision(request: Request) -> Response:
    """Handle the request."""
    state, language = state_of(request), language_of(request.scope)
    person = await state.people.caller(request)
    ref = reference(request.path_params["ref"])
    told = await mirror(state, language).one(person.pseudonym, ref)
    return Json(told, 200, **headers(language))


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        list_own_decisions,
        "One's own decisions and one's household's, exceptions among them",
        answers={200: OwnDecisions},
        problems=(UNAUTHENTICATED,),
        security=("bearer",),
    ),
    Endpoint(
        "GET",
        PATH + "/{ref}",
        read_own_decision,
        "One's own decision, or one about a member of one's household: why, from when, and what can be done",
        answers={200: OwnDecision},
        path_params={"ref": {"type": "string", "format": "uuid"}},
        problems=(UNAUTHENTICATED, errors.DECISION_UNKNOWN),
        security=("bearer",),
    ),
)
