"""``/check/{programme}``: would I be eligible? For anybody, before their turn. Nothing is stored, logged or remembered.

What was typed travels in the form, to and fro, and never in an address. No cookie is set, and of those that come only
the language is looked at. It is for the many who wait, and must not cost those who book: see ``Turnstile``.
"""

from collections.abc import Collection
from dataclasses import dataclass

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.admin.programmes import Programme
from origin.config import OriginConfig
from origin.eligibility.decisions import reason_in
from origin.eligibility.document import in_language
from origin.state import OriginState, state_of
from origin.web.eligibility import spoken
from origin.web.form import typed_in
from origin.web.questions import Asker, Walk, shown_by
from origin.web.site import Site
from origin.web.turnstile import Turnstile
from origin.web.verdict import of_evaluation, said
from origin.web.visit import Typed, text_of
from shared.clock import Clock
from shared.problem import Problem
from shared.web.languages import LANGUAGES, language_of
from shared.web.shell import Encoding, Page, Shell

PATH = "/check/{programme}"
_MOST_FRONTS = 64
_FRESH = b"public, max-age=30"


@dataclass(frozen=True)
class _Checked:
    """One request. ``address``: of the page in its language; ``is_chosen``: the address says which language."""

    request: Request
    state: OriginState
    programme: Programme
    form: FormData
    language: str
    is_chosen: bool

    @property
    def address(self) -> str:
        return f"/check/{self.programme.id}?lang={self.language}"


class CheckPages:
    """The self-check."""

    def __init__(self, site: Site, config: OriginConfig, clock: Clock) -> None:
        self._site = site
        self._asker = Asker()
        self._turnstile = Turnstile(clock, per_s=config.check_per_s, at_once=config.check_at_once)
        self._fronts: dict[tuple[object, ...], Shell] = {}
        self._busy: dict[str, Shell] = {}

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [Route(PATH, self._answer, methods=["GET", "POST"])]

    async def _answer(self, request: Request) -> Response:
        state = state_of(request)
        after_s = self._turnstile.enter()
        if after_s:
            state.metrics.checks.labels("busy").inc()
            return self._too_many(request, after_s)
        try:
            checked = await _read(request)
            shown = shown_by(checked.form) if "asked" in checked.form and "lang" not in checked.form else ()
            walk = await self._walk(checked, typed_in(checked.form), shown)
            return self._next(checked, walk) if request.method == "POST" else self._front(checked, walk)
        except Problem as refused:
            return self._site.errors.render(refused, again=request.url.path, lang=language_of(request.scope))
        finally:
            self._turnstile.leave()

    async def _walk(self, checked: _Checked, typed: Typed, shown: Collection[str]) -> Walk:
        book, today = checked.state.decisions.rules, checked.state.clock.now().date()
        return await self._asker.walk(book, checked.programme, typed, checked.language, today, shown)

    def _front(self, checked: _Checked, walk: Walk) -> Response:
        """The first question, the same for all: rendered once for each version and language, and good for caches."""
        key = checked.programme, checked.language, walk.script.rules.version, walk.asked[0].name if walk.asked else ""
        shell = self._fronts.get(key)
        if shell is None:
            if len(self._fronts) >= _MOST_FRONTS:
                self._fronts.clear()
            shell = self._fronts[key] = Shell(self._asking(checked, walk, Typed()))
        checked.state.metrics.checks.labels("opened").inc()
        encoding = _encoding(checked.request)
        page = Page(checked.language, shell.fill({}, encoding), 200, encoding)
        if checked.is_chosen:  # the page depends on nothing but its address
            page.raw_headers = [_cached(header) for header in page.raw_headers]
        return page

    def _next(self, checked: _Checked, walk: Walk) -> Response:
        """The next question, what is wrong with an answer, or what the rules say."""
        typed, form = typed_in(checked.form), checked.form
        if walk.open is None and not walk.has_unseen(form) and "edit" not in form:
            return self._result(checked, walk, typed)
        checked.state.metrics.checks.labels("asked").inc()
        html = self._asking(checked, walk, typed)
        return Page(checked.language, html.encode(), 422 if walk.complaints else 200)

    def _result(self, checked: _Checked, walk: Walk, typed: Typed) -> Response:
        rules, today = walk.script.rules, checked.state.clock.now().date()
        evaluation = rules.evaluator.evaluate(walk.facts, today)
        verdict = of_evaluation(evaluation, rules)
        if evaluation.changes_on is not None:
            verdict.becomes = rules.evaluator.evaluate(walk.facts, evaluation.changes_on).outcome
        given = [reason_in(rules.document, reason, checked.language) for reason in verdict.reasons]
        checked.state.metrics.checks.labels(verdict.outcome).inc()
        html = self._render(
            checked,
            walk,
            "check_result.html",
            verdict=said(verdict, rules.document, given, checked.language),
            carried=list(Walk(walk.script).carried(typed)),
            switch_form="questions",
        )
        return Page(checked.language, html.encode())

    def _asking(self, checked: _Checked, walk: Walk, typed: Typed) -> str:
        return self._render(
            checked,
            walk,
            "check.html",
            typed=typed,
            errors=[spoken(complaint, checked.language) for complaint in walk.complaints],
            carried=list(walk.carried(typed)),
            switch_form="questions",
        )

    def _render(self, checked: _Checked, walk: Walk, template: str, **context: object) -> str:
        common = {"address": checked.address, "switch_url": checked.address, "back": checked.address}
        title = in_language(walk.script.rules.document.title, checked.language) or checked.programme.name
        return self._site.render(checked.language, template, walk=walk, title=title, **common, **context)

    def _too_many(self, request: Request, after_s: int) -> Response:
        language = _language(request, FormData())
        if language not in self._busy:
            self._busy[language] = Shell(self._site.render(language, "check_busy.html", back=None))
        encoding = _encoding(request)
        page = Page(language, self._busy[language].fill({}, encoding), 503, encoding)
        page.headers["Retry-After"] = str(after_s)
        return page


async def _read(request: Request) -> _Checked:
    state = state_of(request)
    form = await _form(request)
    wanted: str = request.path_params["programme"]
    programme = await _programme(state, wanted)
    chosen = request.query_params.get("lang", "") in LANGUAGES
    return _Checked(request, state, programme, form, _language(request, form), chosen)


async def _form(request: Request) -> FormData:
    if request.method != "POST":
        return FormData()
    try:
        return await request.form(max_fields=100, max_files=0)
    except HTTPException:
        return FormData()


async def _programme(state: OriginState, wanted: str) -> Programme:
    for _ in range(2):
        found = next((each for each in state.programmes.by_room.values() if each.id == wanted), None)
        await state.programmes.refresh(None if found is None else found.room)
        if found is not None:
            return found
    raise Problem(errors.PROGRAMME_UNKNOWN)


def _language(request: Request, form: FormData) -> str:
    for chosen in (text_of(form, "lang"), request.query_params.get("lang", "")):
        if chosen in LANGUAGES:
            return chosen
    return language_of(request.scope)


def _encoding(request: Request) -> Encoding:
    return "gzip" if "gzip" in request.headers.get("accept-encoding", "") else ""


def _cached(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    return {b"cache-control": (b"cache-control", _FRESH), b"vary": (b"vary", b"Accept-Encoding")}.get(header[0], header)
