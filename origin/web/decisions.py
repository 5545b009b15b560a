"""One's own decisions and one's household's: why not, from when, what can be done; and booking with an exception."""

from datetime import date

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.eligibility.decisions import Decision
from origin.eligibility.own import SOON, OwnDecision
from origin.eligibility.own_api import mirror, reference, told_to
from origin.web import party
from origin.web.decided import outcome_of
from origin.web.household import PARTY
from origin.web.site import Site, see
from origin.web.staff.support_words import moment
from origin.web.visit import Visit
from origin.words import day, product
from shared.problem import Problem


class DecisionPages:
    """``/decisions``, ``/decisions/{ref}`` and, for an exception, ``/decisions/{ref}/book``."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route("/decisions", serve(self._list), methods=["GET"]),
            Route("/decisions/{ref}", serve(self._show), methods=["GET"]),
            Route("/decisions/{ref}/book", serve(self._book), methods=["POST"]),
        ]

    async def _list(self, visit: Visit) -> Response:
        person = visit.require_person()
        told = await told_to(visit.state, person, visit.language)
        return self._site.page(
            visit, "decisions.html", told=told, decided=lambda each: moment(each.decided_at, visit.language)
        )

    async def _show(self, visit: Visit) -> Response:
        told = await _own(visit)
        language = visit.language
        return self._site.page(
            visit,
            "decision.html",
            told=told,
            who=None if told.member is None else (await party.names(visit)).get(told.member, ""),
            decided=moment(told.decided_at, language),
            until=moment(told.expires_at, language),
            changes_on=_soon(told.changes_on, visit.state.clock.now().date(), language),
            products=[] if told.grants is None else [product(code, language) for code in told.grants.products],
            reasons=[each.text for each in told.reasons],
        )

    async def _book(self, visit: Visit) -> Response:
        """Go on to book with an exception, as if the questions had been answered so."""
        visit.check_form(await visit.form())
        told = await _own(visit)
        admission = await visit.require_admission()
        if told.programme != admission.programme.id:
            raise Problem(errors.DECISION_UNKNOWN)
        if told.stand != "exception":
            raise Problem(errors.OVERRIDE_ENDED)
        decision = Decision(
            decision_ref=told.decision_ref,
            outcome=told.outcome,
            rule_version=told.rule_version,
            reasons=[],
            missing=[],
            grants=told.grants,
            explain=[],
            would_change=[],
            changes_on=None,
            expires_at=told.expires_at,
        )
        outcome = outcome_of(decision, told.region)
        outcome.by_exception = True
        if told.member is not None:
            party.take_in(visit, told.member)
            party.note(visit, outcome)
        visit.kept.outcome = outcome
        return see("/slots" if told.member is None else PARTY)


async def _own(visit: Visit) -> OwnDecision:
    ref = reference(visit.request.path_params["ref"])
    return await mirror(visit.state, visit.language).one(visit.require_person().pseudonym, ref)


def _soon(changes_on: date | None, today: date, language: str) -> str:
    return "" if changes_on is None or changes_on - today > SOON else day(changes_on, language)
