"""The admission gate: nobody reaches supply and booking but through the waiting room.

A visitor shows the admission token itself (``Admission-Token``), or the signed cookie that it was exchanged for: the
token lives for minutes, the session as long as a form needs, and longer where asked. Every refusal is counted by its
reason.
"""

import msgspec
from starlette.requests import Request

from origin.admin.programmes import Programme, Programmes
from origin.capacity.crowd import Crowd
from origin.errors import ADMISSION_EXTENDED_ENOUGH, ADMISSION_REFUSED
from origin.metrics import OriginMetrics
from origin.turn import AdmissionSession, Terms
from shared.clock import Clock
from shared.keys import KeyRing
from shared.problem import Problem
from shared.signing import Sealer, SignatureRefused
from shared.token import AdmissionToken, AdmissionTokens, RefusalReason, TokenRefused

ADMISSION_HEADER = "Admission-Token"
ADMISSION_COOKIE = "vestibule_admission"


class Admission(msgspec.Struct, frozen=True):
    """A visitor who was let through to ``programme``. ``id`` is consumed by one booking. ``exp``: Unix seconds."""

    id: str
    programme: Programme
    exp: int


class Extension(msgspec.Struct, frozen=True):
    """An admission that was made longer, the cookie that says so, and how many extensions are left."""

    admission: Admission
    cookie: str
    left: int


class Gate:
    """Admits or refuses."""

    def __init__(
        self,
        admission_keys: KeyRing,
        origin_keys: KeyRing,
        programmes: Programmes,
        metrics: OriginMetrics,
        clock: Clock,
        crowd: Crowd,
        *,
        leeway_s: float,
        terms: Terms,
    ) -> None:
        self._tokens = AdmissionTokens(admission_keys)
        self._sessions = Sealer(AdmissionSession, origin_keys, "admission session")
        self._programmes = programmes
        self._metrics = metrics
        self._clock = clock
        self._crowd = crowd
        self._leeway_s = leeway_s
        self._terms = terms

    async def admit(self, request: Request) -> Admission:
        """Return the admission that the request carries.

        Raises:
            Problem: 403 ``admission_<reason>``; 503 while the programmes were never read.
        """
        text = request.headers.get(ADMISSION_HEADER)
        try:
            if text is not None:
                admission = await self._by_token(text)
            else:
                admission = await self._by_cookie(request.cookies.get(ADMISSION_COOKIE, ""))
        except TokenRefused as refused:
            raise self._refusal(refused.reason) from None
        self._crowd.heard(admission.id)
        return admission

    async def exchange(self, text: str) -> tuple[Admission, str]:
        """Return the admission of a token, and the cookie value that stands for it from now on.

        Raises:
            Problem: 403 ``admission_<reason>``; 503 while the programmes were never read.
        """
        try:
            admission = await self._by_token(text)
        except TokenRefused as refused:
            raise self._refusal(refused.reason) from None
        self._metrics.exchanged.inc()
        self._crowd.heard(admission.id)
        session = self._terms.begin(self._sessions.kid, admission.programme.room, admission.id, self._clock.unix())
        return Admission(admission.id, admission.programme, session.exp), self._sessions.seal(session)

    async def let_back(self, room: str, id_: str) -> tuple[Admission, str]:
        """Return an admission that we give to somebody whose booking a site has undone, and its cookie value.

        Raises:
            Problem: 403 ``admission_wrong_room``; 503 while the programmes were never read.
        """
        try:
            programme = await self._programme(room)
        except TokenRefused as refused:
            raise self._refusal(refused.reason) from None
        self._crowd.heard(id_)
        session = self._terms.begin(self._sessions.kid, room, id_, self._clock.unix())
        return Admission(id_, programme, session.exp), self._sessions.seal(session)

    async def session(self, request: Request) -> AdmissionSession:
        """Return the session that holds now; a token does not count, for it cannot be made longer.

        Raises:
            Problem: 403 ``admission_<reason>``; 503 while the programmes were never read.
        """
        try:
            session = self._open(request.cookies.get(ADMISSION_COOKIE, ""))
            await self._programme(session.room)
        except TokenRefused as refused:
            raise self._refusal(refused.reason) from None
        return session

    async def extend(self, session: AdmissionSession) -> Extension:
        """Make a session longer by its length, as often and as far as the terms allow.

        Raises:
            Problem: 409 ``admission_extended_enough``; it holds until its end all the same.
        """
        longer = self._terms.extend(self._sessions.kid, session)
        if longer is None:
            self._metrics.admission_extended.labels("enough").inc()
            raise Problem(ADMISSION_EXTENDED_ENOUGH)
        self._metrics.admission_extended.labels("extended").inc()
        self._crowd.heard(longer.id)
        admission = Admission(longer.id, await self._programme(longer.room), longer.exp)
        return Extension(admission, self._sessions.seal(longer), self._terms.left(longer))

    def count_used(self) -> None:
        """Count an admission that came back after its booking."""
        self._metrics.admission_refused.labels("already_used").inc()

    async def _by_token(self, text: str) -> Admission:
        now = self._clock.unix()
        try:
            token = self._verify(text, now)
        except TokenRefused as refused:
            if refused.reason != "wrong_room":
                raise
            await self._programmes.refresh()  # its programme may be new
            token = self._verify(text, now)
        self._observe(token, now)
        programme = self._programmes.known(token.room) or await self._programme(token.room)
        return Admission(token.id, programme, token.exp)

    def _verify(self, text: str, now: float) -> AdmissionToken:
        return self._tokens.verify(text, rooms=self._programmes.by_room, now=now, leeway_s=self._leeway_s)

    async def _by_cookie(self, text: str) -> Admission:
        session = self._open(text)
        return Admission(session.id, await self._programme(session.room), session.exp)

    def _open(self, text: str) -> AdmissionSession:
        if not text:
            raise TokenRefused("missing")
        try:
            session = self._sessions.open(text)
        except SignatureRefused as refused:
            raise TokenRefused(refused.reason) from None
        if self._clock.unix() >= session.exp:
            raise TokenRefused("expired")
        return session

    async def _programme(self, room: str) -> Programme:
        await self._programmes.refresh(room)
        programme = self._programmes.by_room.get(room)
        if programme is None:
            raise TokenRefused("wrong_room")
        return programme

    def _observe(self, token: AdmissionToken, now: float) -> None:
        self._metrics.token_age_seconds.observe(max(0.0, now - token.iat))
        self._metrics.clock_skew_seconds.observe(max(0.0, token.iat - now))

    def _refusal(self, reason: RefusalReason) -> Problem:
        self._metrics.admission_refused.labels(reason).inc()
        return Problem(ADMISSION_REFUSED[reason])
