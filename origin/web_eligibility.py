"""The questions and what they come to."""

from dataclasses import dataclass, replace

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.admin.programmes import Programme
from origin.eligibility.api import evaluate
from origin.eligibility.decisions import no_rules_refused
from origin.eligibility.document import Texts, in_language
from origin.web_decided import RESULT, outcome_of, standing
from origin.web_form import NONE, Choices, Complaint, read, typed_in
from origin.web_site import Site, see
from origin.web_visit import FORM_STALE, Typed, Visit, text_of
from origin.web_words import product, texts_in
from shared.problem import Problem

_QUESTION_OF = {"birth_date": "birth", "age": "birth", "job_code": "job"}


@dataclass(frozen=True)
class Choice:
    """One value that can be chosen, with what people call it."""

    code: str
    text: str


class EligibilityPages:
    """``/eligibility`` and ``/eligibility/result``."""

    def __init__(self, site: Site) -> None:
        self._site = site

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
        typed = visit.kept.typed or Typed()
        return await self._form(visit, admission.programme, typed)

    async def _answer(self, visit: Visit) -> Response:
        form = await visit.form()
        visit.kept.typed = typed = typed_in(form)  # kept whatever happens next
        if "lang" in form:
            return self._site.speak(text_of(form, "lang"), see("/eligibility"))
        admission = await visit.require_admission()
        person = visit.require_person()
        try:
            visit.check_form(form)
        except Problem as stale:
            if stale.kind is not FORM_STALE:
                raise
            return await self._form(visit, admission.programme, typed, note="stale", status=403)
        choices = await self._choices(visit, admission.programme)
        codes = Choices(*({choice.code: None for choice in each} for each in choices))
        facts = read(typed, codes, visit.state.clock.now().date())
        if isinstance(facts, list):
            return await self._form(visit, admission.programme, typed, facts, status=422)
        decision = await evaluate(visit.state, admission, person, facts)
        visit.kept.outcome = outcome_of(decision, facts.region)
        return see(RESULT)

    async def _result(self, visit: Visit) -> Response:
        admission = await visit.require_admission()
        visit.require_person()
        outcome = await standing(visit, admission)
        if outcome is None:
            return see("/eligibility")
        return self._site.page(
            visit,
            "outcome.html",
            outcome=outcome.outcome,
            reasons=await self._site.reasons(visit, admission.programme, outcome.reasons, outcome.version),
            missing=[_QUESTION_OF.get(fact, fact) for fact in outcome.missing],
            products=[product(code, visit.language) for code in outcome.products],
            dose=outcome.dose,
            rule_version=outcome.version,
            again=outcome.again,
            chosen=visit.kept.then if visit.kept.then.startswith("/slots/") else "",
        )

    async def _form(
        self,
        visit: Visit,
        programme: Programme,
        typed: Typed,
        complaints: list[Complaint] | None = None,
        *,
        note: str = "",
        status: int = 200,
    ) -> Response:
        regions, jobs, conditions = await self._choices(visit, programme)
        return self._site.page(
            visit,
            "eligibility.html",
            status,
            back="/eligibility",
            switch_form="questions",
            turn_form="questions",
            regions=regions,
            jobs=jobs,
            conditions=conditions,
            typed=typed,
            errors=[_said(complaint, visit.language) for complaint in complaints or []],
            note=note,
        )

    async def _choices(self, visit: Visit, programme: Programme) -> tuple[list[Choice], ...]:
        """Return the regions, jobs and conditions that can be chosen: those that the rules in force have names for."""
        state, language = visit.state, visit.language
        with no_rules_refused():
            rules = await state.decisions.rules.current(programme)
        if rules is None:
            raise Problem(errors.RULES_MISSING, retry_after_s=30)
        labels = rules.document.labels
        return tuple(_named(each, language) for each in (labels.region, labels.job_code, labels.conditions))


def _named(labels: dict[str, Texts], language: str) -> list[Choice]:
    """Return the choices in the order of their names, "none" last."""
    choices = [Choice(code, in_language(texts, language) or code) for code, texts in labels.items()]
    return sorted(choices, key=lambda choice: (choice.code == NONE, choice.text))


def _said(complaint: Complaint, language: str) -> Complaint:
    return replace(complaint, text=texts_in(language).gettext(complaint.text))
