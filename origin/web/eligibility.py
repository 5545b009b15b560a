"""The questions, one after the other, and what they come to."""

from collections.abc import Collection
from dataclasses import replace

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin.eligibility.api import evaluate
from origin.eligibility.rulebook import RulesUnavailable
from origin.gate import Admission
from origin.identity import Person
from origin.web import party
from origin.web.decided import RESULT, outcome_of, standing
from origin.web.form import Complaint, typed_in
from origin.web.questions import Asker, Walk, shown_by
from origin.web.site import Site, see
from origin.web.verdict import said
from origin.web.visit import FORM_STALE, Outcome, Typed, Visit, text_of
from origin.words import texts_in
from shared.problem import Problem


class EligibilityPages:
    """``/eligibility`` and ``/eligibility/result``."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._asker = Asker()

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route("/eligibility", serve(self._ask), methods=["GET"]),
            Route("/eligibility", serve(self._answer), methods=["POST"]),
            Route(RESULT, serve(self._result), methods=["GET"]),
        ]

    async def _ask(self, visit: Visit) -> Response:
        admission = await visit.require_admission()
        visit.require_person()
        return await self._form(visit, await self._walk(visit, admission, ()))

    async def _answer(self, visit: Visit) -> Response:
        form = await visit.form()
        visit.kept.typed = typed_in(form, visit.kept.typed or Typed())  # kept whatever happens next
        if "lang" in form:
            return self._site.speak(text_of(form, "lang"), see("/eligibility"))
        admission = await visit.require_admission()
        person = await party.asked(visit)
        walk = await self._walk(visit, admission, shown_by(form))
        try:
            visit.check_form(form)
        except Problem as stale:
            if stale.kind is not FORM_STALE:
                raise
            return await self._form(visit, walk, note="stale", status=403)
        if walk.complaints:
            return await self._form(visit, walk, status=422)
        if walk.has_unseen(form):
            return see("/eligibility")
        visit.kept.outcome = await self._decide(visit, admission, person, walk)
        party.note(visit, visit.kept.outcome)
        return see(RESULT)

    async def _decide(self, visit: Visit, admission: Admission, person: Person, walk: Walk) -> Outcome:
        decision = await evaluate(visit.state, admission, person, walk.facts, asker=visit.require_person())
        outcome = outcome_of(decision, walk.facts.region)
        rules = walk.script.rules
        if outcome.changes_on is not None and rules.version == outcome.version:
            outcome.becomes = rules.evaluator.evaluate(walk.facts, outcome.changes_on).outcome
        return outcome

    async def _result(self, visit: Visit) -> Response:
        admission = await visit.require_admission()
        visit.require_person()
        outcome = await standing(visit, admission)
        if outcome is None:
            return see("/eligibility")
        try:
            rules = await visit.state.decisions.rules.version(admission.programme.id, outcome.version)
        except RulesUnavailable:
            rules = None
        given = await self._site.reasons(visit, admission.programme, outcome.reasons, outcome.version)
        return self._site.page(
            visit,
            "outcome.html",
            verdict=said(outcome, None if rules is None else rules.document, given, visit.language),
            again=outcome.again,
            who=await party.who(visit),
            chosen=visit.kept.then if visit.kept.then.startswith("/slots/") else "",
        )

    async def _walk(self, visit: Visit, admission: Admission, shown: Collection[str]) -> Walk:
        typed = visit.kept.typed or Typed()
        today = visit.state.clock.now().date()
        book, programme = visit.state.decisions.rules, admission.programme
        return await self._asker.walk(book, programme, typed, visit.language, today, shown)

    async def _form(self, visit: Visit, walk: Walk, *, note: str = "", status: int = 200) -> Response:
        return self._site.page(
            visit,
            "eligibility.html",
            status,
            back="/eligibility",
            switch_form="questions",
            turn_form="questions",
            walk=walk,
            who=await party.who(visit),
            typed=visit.kept.typed or Typed(),
            errors=[spoken(complaint, visit.language) for complaint in walk.complaints],
            note=note,
        )


def spoken(complaint: Complaint, language: str) -> Complaint:
    """Return a complaint in a language."""
    return replace(complaint, text=texts_in(language).gettext(complaint.text))
