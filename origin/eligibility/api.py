"""``POST /v1/eligibility:evaluate``."""

from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.eligibility.decisions import Decision, no_rules_refused
from origin.eligibility.person import Declared, Facts, facts_of
from origin.gate import ADMISSION_COOKIE, ADMISSION_HEADER, Admission
from origin.identity import Person
from origin.state import OriginState, state_of
from shared.http import Endpoint, Header, Json, read_body
from shared.problem import INVALID_BODY, UNAUTHENTICATED, Problem
from shared.web.languages import DEFAULT, headers, language_of

_OLDEST_YEARS = 150


class EvaluateForm(msgspec.Struct, forbid_unknown_fields=True):
    """What a person declares. Fields left out or null are not answered; having no conditions is an empty list.

    ``member``: for whom of their household they ask; null, for themselves.
    """

    facts: Declared
    member: UUID | None = None


async def evaluate(
    state: OriginState,
    admission: Admission,
    person: Person,
    facts: Facts,
    language: str = DEFAULT,
    *,
    asker: Person | None = None,
) -> Decision:
    """Decide, and keep the decision with its audit row; reasons are said in ``language``.

    ``asker``: who asks, also where it is about one of their household; None, the person.

    Raises:
        Problem: ``invalid_body`` for a birth date that cannot be; 503 ``rules_missing``, ``rules_unavailable``,
            ``store_unavailable``.
    """
    today = state.clock.now().date()
    if facts.birth_date is not None and not today.year - _OLDEST_YEARS <= facts.birth_date.year <= today.year:
        raise Problem(INVALID_BODY, "the birth date cannot be - at `$.facts.birth_date`")
    with no_rules_refused():
        decision = await state.decisions.decide(
            admission.programme,
            person.pseudonym,
            facts,
            language,
            asker=None if asker is None or asker.pseudonym == person.pseudonym else asker.pseudonym,
        )
    state.metrics.evaluated.labels(decision.outcome, str(decision.rule_version)).inc()
    return decision


async def evaluate_eligibility(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    admission = await state.gate.admit(request)
    person = await state.people.caller(request)
    form = await read_body(request, EvaluateForm)
    language = language_of(request.scope)
    asked_for = await state.households.as_person(person, form.member)
    decision = await evaluate(state, admission, asked_for, facts_of(form.facts), language, asker=person)
    return Json(decision, 200, **headers(language))


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/eligibility:evaluate",
        evaluate_eligibility,
        "Decide whether the caller, or one of their household, is eligible, under the rules in force now",
        answers={200: Decision},
        body=EvaluateForm,
        headers=(Header(ADMISSION_HEADER, "The admission token, unless its cookie is sent."),),
        cookies=(ADMISSION_COOKIE,),
        problems=(*errors.GATE, UNAUTHENTICATED, errors.MEMBER_UNKNOWN, errors.RULES_MISSING, errors.RULES_UNAVAILABLE),
        security=("bearer",),
    ),
)
