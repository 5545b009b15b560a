"""Coming in, signing in and out, and what to do next."""

from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from origin import admission
from origin.booking.keep import upcoming
from origin.config import OriginConfig
from origin.eligibility.own_api import mirror
from origin.gate import ADMISSION_COOKIE
from origin.identity import SESSION_COOKIE
from origin.web import party
from origin.web.decided import living
from origin.web.login import LOGIN_COOKIE, LOGIN_S, Login, LoginFailed
from origin.web.offers import open_offers
from origin.web.site import Site, see
from origin.web.visit import KEPT_S, Kept, Visit, text_of
from origin.web.waitlist import own_entries
from origin.words import of_appointment
from shared.bearer import Identity
from shared.ids import Ids
from shared.problem import Problem, ProblemType

_TOKEN_LENGTH = 2048
_LOGIN_FAILED = {
    "unavailable": ProblemType("login_unavailable", 503, "The sign-in service does not answer"),
    "expired": ProblemType("login_expired", 403, "The sign-in took too long"),
    "refused": ProblemType("login_refused", 403, "Nobody was signed in"),
}


class AccountPages:
    """``/``, ``/enter``, ``/login``, ``/login/callback``, ``/logout``."""

    def __init__(self, site: Site, config: OriginConfig, ids: Ids) -> None:
        self._site = site
        self._login: Login | None = None
        if config.oidc_issuer is not None and config.oidc_client_id is not None:
            secret = "" if config.oidc_client_secret is None else config.oidc_client_secret.get_secret_value()
            callback = f"{str(config.origin_public_url).rstrip('/')}/login/callback"
            issuer, client = str(config.oidc_issuer), config.oidc_client_id
            self._login = Login(issuer, client, secret, callback, site.ring, site.clock, ids)

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route("/", serve(self._home), methods=["GET"]),
            Route("/enter", serve(self._enter), methods=["POST"]),
            Route("/enter", serve(self._entered), methods=["GET"]),
            Route("/login", serve(self._sign_in), methods=["GET"]),
            Route("/login/callback", serve(self._signed_in), methods=["GET"]),
            Route("/logout", serve(self._sign_out), methods=["POST"]),
        ]

    async def _home(self, visit: Visit) -> Response:
        admitted = await visit.admission()
        coming = [] if visit.person is None else await upcoming(visit.state, visit.person)
        names = await party.names(visit) if any(each.member for each in coming) else {}
        told = mirror(visit.state, visit.language)
        exception = None if visit.person is None else await told.exception(visit.person.pseudonym)
        left = None if admitted is None else max(0, int(admitted.exp - self._site.clock.unix()) // 60)
        return self._site.page(
            visit,
            "home.html",
            note=visit.request.query_params.get("note", ""),
            appointments=[
                {"id": each.id, "slot": of_appointment(each, visit.language), "name": names.get(each.member, "")}
                for each in coming
            ],
            next=self._next(visit, admitted=admitted is not None),
            minutes_left=left,
            exception=exception,
            entries=await own_entries(visit),
            offers=[each for each in await open_offers(visit) if each.is_open or each.may_return],
        )

    def _next(self, visit: Visit, *, admitted: bool) -> str:
        if not admitted:
            return "line"
        if visit.person is None:
            return "sign_in"
        if visit.kept.party:
            return "household"
        outcome = living(visit)
        return "eligibility" if outcome is None or outcome.outcome != "eligible" else "slots"

    async def _enter(self, visit: Visit) -> Response:
        form = await visit.form()
        exchanged, cookie = await admission.exchange(visit.state, text_of(form, "token", at_most=_TOKEN_LENGTH))
        response = see("/" if visit.person is None else visit.go_on())  # first things first: "/" says to sign in
        admission.set_cookie(visit.state, response, cookie, exchanged.expires_at)
        return self._site.speak(text_of(form, "lang"), response)  # the language of the waiting room

    async def _entered(self, visit: Visit) -> Response:
        """Reloading the way in leads to where it led."""
        return see("/" if ADMISSION_COOKIE in visit.request.cookies else f"{self._site.edge_url}/")

    async def _sign_in(self, visit: Visit) -> Response:
        if self._login is None:
            raise Problem(_LOGIN_FAILED["unavailable"])
        try:
            address, cookie = await self._login.begin()
        except LoginFailed as failed:
            raise Problem(_LOGIN_FAILED[failed.reason]) from None
        response = RedirectResponse(address, 302, {"Cache-Control": "no-store"})
        visit.set_cookie(response, LOGIN_COOKIE, cookie, LOGIN_S)
        return response

    async def _signed_in(self, visit: Visit) -> Response:
        asked = visit.request.query_params
        cookie = visit.request.cookies.get(LOGIN_COOKIE, "")
        if self._login is None:
            raise Problem(_LOGIN_FAILED["unavailable"])
        try:
            identity = await self._login.finish(cookie, state=asked.get("state", ""), code=asked.get("code", ""))
        except LoginFailed as failed:
            raise Problem(_LOGIN_FAILED[failed.reason]) from None
        self._welcome(visit, identity)
        response = see(visit.go_on())
        until = int(self._site.clock.unix()) + KEPT_S
        session = visit.state.people.start_session(identity.issuer, identity.sub, identity.roles, until)
        visit.set_cookie(response, SESSION_COOKIE, session, KEPT_S)
        visit.drop_cookie(response, LOGIN_COOKIE)
        return response

    def _welcome(self, visit: Visit, identity: Identity) -> None:
        """What somebody else left in this browser is not shown to whoever signs in now."""
        pseudonym = visit.state.people.pseudonym(identity.issuer, identity.sub)
        if visit.kept.person not in {b"", pseudonym}:
            visit.kept = Kept()
        visit.kept.person = pseudonym

    async def _sign_out(self, visit: Visit) -> Response:
        visit.check_form(await visit.form())
        response = see("/?note=signed_out")
        visit.sign_out(response)
        return response
