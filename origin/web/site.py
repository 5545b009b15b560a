"""What every booking page needs: the look, the visit, and refusals that say what to do next."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from origin.admin.programmes import Programme
from origin.config import OriginConfig
from origin.eligibility.decisions import Reason, reason_in
from origin.eligibility.rulebook import RulesUnavailable
from origin.web.visit import Visit, Visits
from origin.words import CATALOGUES, TurnWords, of_turn, where
from shared.clock import Clock
from shared.ids import Ids
from shared.keys import KeyRing
from shared.problem import Problem
from shared.web import languages
from shared.web.environment import environments
from shared.web.errors import ErrorPages
from shared.web.statics import Statics
from shared.web.theme import Theme

Act = Callable[[Visit], Awaitable[Response]]

_HERE = Path(__file__).parent

# Which part of refused.html says it; other codes get the common error page.
_SAID = {
    "unauthenticated": "sign_in",
    "admission_missing": "turn_missing",
    "admission_expired": "turn_over",
    "admission_used": "turn_used",
    "admission_extended_enough": "turn_longest",
    "form_stale": "form_stale",
    "decision_expired": "questions",
    "decision_unknown": "questions",
    "ineligible": "ineligible",
    "override_ended": "exception_ended",
    "already_booked": "already_booked",
    "slot_past": "slot_past",
    "slot_unknown": "slot_unknown",
    "next_dose_missing": "next_dose",
    "member_unknown": "member",
    "frozen": "frozen",
    "rules_unavailable": "rules_unavailable",
    "key_in_flight": "in_flight",
    "key_reused": "form_stale",
    "appointment_unknown": "appointment_unknown",
    "offer_unknown": "appointment_unknown",
    "entry_unknown": "appointment_unknown",
    "too_late": "too_late",
    "too_often": "too_often",
    "interval_not_kept": "interval",
    "appointment_cancelled": "cancelled",
    "login_unavailable": "login_unavailable",
    "login_expired": "login_failed",
    "login_refused": "login_failed",
}
_NO_PAGES = frozenset({"/enter", "/logout", "/login", "/login/callback"})
_BOOKED = frozenset({"turn_used", "already_booked"})
_COMES_BACK = frozenset({"sign_in", "turn_missing", "turn_over", "turn_unreadable"})


class Site:
    """Renders pages and refusals of one origin."""

    def __init__(self, config: OriginConfig, clock: Clock, ids: Ids) -> None:
        theme = Theme.load(config.theme_file)
        self.statics = Statics(_HERE / "static", theme.files)
        self._environments = environments(_HERE / "templates", CATALOGUES, self.statics, theme)
        for made in self._environments.values():
            made.filters["where"] = where
        self._secure = config.secure_cookies
        self.switch = languages.switch(secure=config.secure_cookies)
        self.errors = ErrorPages(self._environments)
        self.ring = KeyRing.load(config.origin_keys_file)
        self.clock = clock
        self.visits = Visits(self.ring, clock, ids, secure=config.secure_cookies)
        self.edge_url = str(config.edge_public_url).rstrip("/")

    def endpoint(self, act: Act) -> Callable[[Request], Awaitable[Response]]:
        """Return a handler that answers refusals as pages and keeps what the visitor has typed."""

        async def run(request: Request) -> Response:
            visit = self.visits.of(request)
            try:
                response = await act(visit)
            except Problem as refused:
                response = self.refuse(visit, refused)
            return visit.finish(response)

        return run

    def page(self, visit: Visit, template: str, status: int = 200, **context: object) -> Response:
        """Return a page; it is never cached, for it may show what only this visitor may see."""
        common = {
            "back": visit.request.url.path if visit.request.method == "GET" else None,
            "csrf": visit.csrf,
            "signed_in": visit.person is not None,
            "edge_url": self.edge_url,
            "turn": self._turn(visit),
            "rules_out": visit.rules_out,
            "has_waitlist": visit.turn is not None and visit.turn.programme.waitlist,
        }
        html = self._environments[visit.language].get_template(template).render(common | context)
        return HTMLResponse(html, status, {"Cache-Control": "no-store"} | languages.headers(visit.language))

    def render(self, language: str, template: str, **context: object) -> str:
        """Return the HTML of a page that belongs to nobody's visit."""
        common = {"signed_in": False, "edge_url": self.edge_url, "turn": None, "rules_out": False}
        return self._environments[language].get_template(template).render(common | context)

    def _turn(self, visit: Visit) -> TurnWords | None:
        """Return until when one can book, where the page belongs to the way of booking."""
        if visit.turn is None:
            return None
        url = visit.request.url
        back = f"{url.path}?{url.query}" if url.query and visit.request.method == "GET" else url.path
        return of_turn(visit.turn.exp, self.clock.unix(), visit.language, back=back)

    async def reasons(self, visit: Visit, programme: Programme, given: list[Reason], version: int) -> list[str]:
        """Return reasons that rules of this version gave, in the language of the page."""
        try:
            rules = await visit.state.decisions.rules.version(programme.id, version)
        except RulesUnavailable:
            return [reason.text for reason in given]
        return [reason_in(rules.document, reason, visit.language) for reason in given]

    def speak(self, language: str, response: Response) -> Response:
        """Make the browser carry a language, where it is one of ours."""
        if language in languages.LANGUAGES:
            languages.keep(response, language, secure=self._secure)
        return response

    def unsure(self, visit: Visit, away: Problem, key: str, *, moving: bool = False) -> Response:
        """Return the page for a form that was sent and not answered: the same key finishes what was begun."""
        response = self.page(visit, "unsure.html", 503, key=key, path=visit.request.url.path, moving=moving)
        response.headers["Retry-After"] = str(away.retry_after_s or 2)
        return response

    def refuse(
        self,
        visit: Visit,
        refused: Problem,
        reasons: list[str] | None = None,
        *,
        path: str | None = None,
        said: str = "",
    ) -> Response:
        """Return the page for a refusal; ``said``: which part of it, where that is not the one for its code.

        Where it can be mended, the visitor comes back to ``path`` afterwards; without one, to the address asked for.
        """
        code = refused.kind.code
        said = said or _SAID.get(code) or ("turn_unreadable" if code.startswith("admission_") else "")
        path = path or visit.request.url.path
        if path in _NO_PAGES:
            path = "/"
        if not said:
            back = path if visit.request.method == "GET" else None
            return self.errors.render(refused, again=back or "/", lang=visit.language, back=back)
        if said in _BOOKED:
            visit.turn = None
        if said in _COMES_BACK and path != "/":
            visit.kept.then = path
        response = self.page(visit, "refused.html", refused.kind.status, said=said, reasons=reasons or [], path=path)
        if refused.retry_after_s is not None:
            response.headers["Retry-After"] = str(refused.retry_after_s)
        return response


def see(address: str) -> Response:
    """Send the browser to ``address`` with GET."""
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})
