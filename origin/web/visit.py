"""One browser's way through the pages: who it is, whether it was let through, what it has typed and decided so far."""

import hmac
from datetime import date
from typing import NoReturn
from uuid import UUID

import msgspec
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from origin.eligibility.decisions import Reason
from origin.gate import ADMISSION_COOKIE, Admission
from origin.identity import SESSION_COOKIE, Person
from origin.state import OriginState, state_of
from origin.web.box import Box
from shared import problem
from shared.clock import Clock
from shared.ids import Ids
from shared.keys import KeyRing
from shared.problem import Problem, ProblemType
from shared.web.languages import language_of

KEPT_COOKIE = "vestibule_visit"
CSRF_COOKIE = "vestibule_form"
KEPT_S = 2 * 3600

FORM_STALE = ProblemType("form_stale", 403, "This form is too old, or was not ours")


class Typed(msgspec.Struct, omit_defaults=True):
    """The answers as they were typed, right or wrong. ``dosed``: ticked instead of a date of the last dose."""

    day: str = ""
    month: str = ""
    year: str = ""
    region: str = ""
    job: str = ""
    pregnant: str = ""
    doses: str = ""
    dosed_day: str = ""
    dosed_month: str = ""
    dosed_year: str = ""
    product: str = ""
    dosed: list[str] = []
    conditions: list[str] = []
    household: list[str] = []


Turned = tuple[str, bool]
"""A reason code, and whether it is met once it has come out the other way."""


class Verdict(msgspec.Struct, kw_only=True):
    """What rules say of somebody, as much of it as the pages need.

    ``to_verify``: the missing facts that do not count until somebody has verified them. ``changes_on``: the first later
    day with another outcome, if nothing changes but the day; ``becomes``: that outcome, where it is known. ``would``:
    the smallest sets of reasons with which they could book, had all of a set come out so.
    """

    outcome: str
    version: int
    reasons: list[Reason]
    missing: list[str]
    products: list[str]
    dose: int
    to_verify: list[str] = []
    changes_on: date | None = None
    becomes: str = ""
    would: list[list[Turned]] = []


class Outcome(Verdict, kw_only=True):
    """The last decision. ``expires_at``: Unix seconds.

    ``counts_for``: the version in force that it was made under, ``region``: of whose people. ``again``: made again
    because the rules have changed. ``by_exception``: made by people, so that no change of the rules matters.
    """

    ref: UUID
    expires_at: int
    region: str | None = None
    counts_for: int = 0
    again: bool = False
    by_exception: bool = False


class Guest(msgspec.Struct, omit_defaults=True):
    """One of several that somebody books for, and what was decided about them.

    ``member``: of the household; None, whoever books. ``ref``: None, nothing was decided yet.
    """

    member: UUID | None = None
    ref: UUID | None = None
    outcome: str = ""
    expires_at: int = 0
    products: list[str] = []
    dose: int = 0


class Kept(msgspec.Struct):
    """What the visit cookie holds. ``person`` is whose it is: nobody else is shown it. ``then``: where to go on.

    ``party``: for whom is booked together; empty, for oneself alone. ``asking``: about which of them the answers are.
    """

    person: bytes = b""
    typed: Typed | None = None
    outcome: Outcome | None = None
    then: str = ""
    town: str = ""
    party: list[Guest] = []
    asking: int = 0


class Visits:
    """Makes a Visit of a request."""

    def __init__(self, ring: KeyRing, clock: Clock, ids: Ids, *, secure: bool) -> None:
        self.box: Box[Kept] = Box(Kept, ring, "visit", clock, ids)
        self.ring = ring
        self.ids = ids
        self.secure = secure

    def of(self, request: Request) -> "Visit":
        """Return the visit that a request belongs to."""
        return Visit(self, request)


class Visit:
    """One request of a browser, and the cookies it gets with the answer."""

    def __init__(self, visits: Visits, request: Request) -> None:
        self._visits = visits
        self.request = request
        self.state: OriginState = state_of(request)
        self.language = language_of(request.scope)
        self.person: Person | None = self.state.people.signed_in(request)
        self.kept = self._open_kept()
        self.before = msgspec.json.encode(self.kept)
        self._csrf = request.cookies.get(CSRF_COOKIE) or visits.ids.secret(18)
        self._kept_s = KEPT_S
        self.turn: Admission | None = None  # what the page shows the end of
        self.rules_out = False  # nobody can be decided about, and the page says so

    def _open_kept(self) -> Kept:
        kept = self._visits.box.open(self.request.cookies.get(KEPT_COOKIE, "")) or Kept()
        if self.person is not None and kept.person not in {b"", self.person.pseudonym}:
            return Kept()
        if self.person is not None:
            kept.person = self.person.pseudonym
        return kept

    async def admission(self) -> Admission | None:
        """Return the admission that holds now, or None; nothing is counted where there never was one."""
        if ADMISSION_COOKIE not in self.request.cookies:
            return None
        try:
            return await self.state.gate.admit(self.request)
        except Problem as refused:
            if refused.kind.status != 403:
                raise
            return None

    def require_person(self) -> Person:
        """Return who is signed in; raises Problem ``unauthenticated``."""
        if self.person is None:
            raise Problem(problem.UNAUTHENTICATED)
        return self.person

    async def require_admission(self) -> Admission:
        """Return the admission, whose end the page then shows; raises Problem ``admission_…``."""
        self.turn = admission = await self.state.gate.admit(self.request)
        outcome = self.kept.outcome
        region = None if outcome is None else outcome.region
        self.rules_out = await self.state.decisions.rules.are_out(admission.programme, region)
        return admission

    @property
    def csrf(self) -> str:
        """What a form of this browser must send back."""
        kid = self._visits.ring.current
        return f"{kid}.{self._digest(self._visits.ring.signing_key)}"

    def check_form(self, form: FormData) -> None:
        """Raise Problem ``form_stale`` where the form was not made for this browser."""
        kid, _, digest = text_of(form, "csrf").partition(".")
        key = self._visits.ring.get(kid)
        if key is None or not hmac.compare_digest(self._digest(key).encode(), digest.encode()):
            self._refuse()

    def _refuse(self) -> NoReturn:
        raise Problem(FORM_STALE)

    def _digest(self, key: bytes) -> str:
        return hmac.digest(key, b"vestibule:form:" + self._csrf.encode(), "sha256").hex()[:40]

    async def form(self, *, max_files: int = 0) -> FormData:
        """Return the form that was sent; an empty one where it cannot be read, or holds NUL (ours never do)."""
        try:
            form = await self.request.form(max_fields=100, max_files=max_files)
        except HTTPException:
            return FormData()
        return FormData() if any(isinstance(value, str) and "\0" in value for value in form.values()) else form

    def go_on(self) -> str:
        """Return where the visitor was before something had to be mended first; ``/`` where there is no such place."""
        then, self.kept.then = self.kept.then, ""
        return then or "/"

    def stay(self, response: Response, expires_at: int) -> None:
        """Keep what was typed, and the sign-in, at least until then (Unix seconds)."""
        life_s = max(KEPT_S, expires_at - int(self.state.clock.unix()))
        self._kept_s, self.before = life_s, b""
        session = self.state.people.stay(self.request, expires_at)
        if session is not None:
            self.set_cookie(response, SESSION_COOKIE, session, life_s)

    def finish(self, response: Response) -> Response:
        """Give the answer the cookies that changed."""
        if self.request.cookies.get(CSRF_COOKIE) != self._csrf:
            self.set_cookie(response, CSRF_COOKIE, self._csrf, None)
        if msgspec.json.encode(self.kept) != self.before:
            self.set_cookie(response, KEPT_COOKIE, self._visits.box.seal(self.kept, life_s=self._kept_s), self._kept_s)
        return response

    def set_cookie(self, response: Response, name: str, value: str, life_s: int | None) -> None:
        """Set a cookie that scripts cannot read and other sites cannot make the browser send in a form."""
        secure = self._visits.secure
        response.set_cookie(name, value, max_age=life_s, path="/", secure=secure, httponly=True, samesite="lax")

    def sign_out(self, response: Response) -> None:
        """Take everything of this person from the browser; the turn stays."""
        self.kept = Kept()
        self.before = msgspec.json.encode(self.kept)
        for name in (SESSION_COOKIE, KEPT_COOKIE):
            self.drop_cookie(response, name)

    def drop_cookie(self, response: Response, name: str) -> None:
        """Take a cookie from the browser."""
        response.delete_cookie(name, path="/", secure=self._visits.secure, httponly=True, samesite="lax")


def text_of(form: FormData, name: str, *, at_most: int = 256) -> str:
    """Return a text field, trimmed; an empty text where it is missing, a file, or too long to come from our forms."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) and len(value) <= at_most else ""
