"""Who is calling: a bearer token, or the session cookie of a browser that signed in.

A person is known only by a keyed hash of issuer and subject; the subject itself is never stored, logged or sent back.
Except of officials: what they do is kept with their name, so their session has it.
"""

import hmac
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Literal

import msgspec
from starlette.requests import Request

from shared.bearer import BearerVerifier, Identity, bearer, require_identity
from shared.clock import Clock
from shared.keys import KeyRing
from shared.problem import FORBIDDEN, UNAUTHENTICATED, Problem
from shared.signing import Sealer, SignatureRefused

SESSION_COOKIE = "vestibule_session"
VISITOR = "visitor"
_REMEMBERED = 50_000


@dataclass(frozen=True)
class Person:
    """A caller: ``pseudonym`` is 32 bytes, the same for the same person for ever. ``name``: only officials have one."""

    pseudonym: bytes = field(repr=False)
    roles: frozenset[str]
    name: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True)
class Official:
    """Somebody who changes what the programme does. ``name`` is kept with the change; the audit has the pseudonym."""

    name: str
    pseudonym: bytes = field(repr=False)
    role: str


class Session(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the session cookie carries. ``exp`` is in Unix seconds."""

    v: Literal[1]
    kid: str
    person: bytes
    roles: list[str]
    exp: int
    name: str = ""


class People:
    """Turns credentials into persons."""

    def __init__(self, verifier: BearerVerifier, person_keys: KeyRing, origin_keys: KeyRing, clock: Clock) -> None:
        self._verifier = verifier
        self._person_key = person_keys.signing_key
        self._sessions = Sealer(Session, origin_keys, "person session")
        self._clock = clock
        self._known: OrderedDict[Identity, Person] = OrderedDict()

    async def caller(self, request: Request) -> Person:
        """Return who calls.

        Raises:
            Problem: 401 ``unauthenticated``; 503 while the issuer's keys cannot be loaded.
        """
        authorization = request.headers.get("authorization")
        if authorization is None:
            person = self.signed_in(request)
            if person is not None:
                return person
        known = None if authorization is None else self._verifier.known(bearer(authorization))
        return self._person(known or await require_identity(request, self._verifier))

    async def official(self, request: Request, *roles: str) -> Official:
        """Return the caller, who has one of ``roles``: the first of them. The session of a browser does not count.

        Raises:
            Problem: 401 ``unauthenticated``; 403 ``forbidden``; 503 while the issuer's keys cannot be loaded.
        """
        identity = await require_identity(request, self._verifier)
        held = [role for role in roles if role in identity.roles]
        if not held:
            raise Problem(FORBIDDEN, f"needs the role {' or '.join(roles)}")
        return Official(identity.sub, self._person(identity).pseudonym, held[0])

    def signed_in(self, request: Request) -> Person | None:
        """Return whose browser session the request carries, or None where there is none that holds now."""
        text = request.cookies.get(SESSION_COOKIE, "")
        if not text:
            return None
        try:
            session = self._sessions.open(text)
        except SignatureRefused:
            return None
        if self._clock.unix() >= session.exp or len(session.person) != 32:
            return None
        return Person(session.person, frozenset(session.roles), session.name)

    def official_signed_in(self, request: Request, *roles: str) -> Official:
        """Return whose browser session the request carries: an official with one of ``roles``, the first of them.

        For pages alone, whose forms are guarded; calls of the API need a bearer token.

        Raises:
            Problem: 401 ``unauthenticated``; 403 ``forbidden``.
        """
        person = self.signed_in(request)
        if person is None:
            raise Problem(UNAUTHENTICATED)
        held = [role for role in roles if role in person.roles]
        if not held or not person.name:
            raise Problem(FORBIDDEN)
        return Official(person.name, person.pseudonym, held[0])

    def start_session(self, issuer: str, sub: str, roles: frozenset[str], expires_at: int) -> str:
        """Return the session cookie's value for somebody who has just signed in; ``expires_at`` in Unix seconds."""
        person, name = self.pseudonym(issuer, sub), sub if roles - {VISITOR} else ""
        session = Session(v=1, kid=self._sessions.kid, person=person, roles=sorted(roles), exp=expires_at, name=name)
        return self._sessions.seal(session)

    def stay(self, request: Request, expires_at: int) -> str | None:
        """Return a cookie with which whoever is signed in stays so until ``expires_at`` (Unix seconds).

        None where nobody is signed in, or where the session lasts that long anyway.
        """
        if self.signed_in(request) is None:
            return None
        session = self._sessions.open(request.cookies[SESSION_COOKIE])
        if session.exp >= expires_at:
            return None
        return self._sessions.seal(msgspec.structs.replace(session, kid=self._sessions.kid, exp=expires_at))

    def pseudonym(self, issuer: str, sub: str) -> bytes:
        """Return the keyed hash under which a person is stored."""
        return hmac.digest(self._person_key, f"{issuer}|{sub}".encode("utf-8", "surrogatepass"), "sha256")

    def by_document(self, number: str) -> bytes:
        """Return the keyed hash under which somebody is stored who is named by a number on their document."""
        return hmac.digest(self._person_key, f"document|{number}".encode(), "sha256")

    def _person(self, identity: Identity) -> Person:
        person = self._known.get(identity)
        if person is None:
            person = Person(self.pseudonym(identity.issuer, identity.sub), identity.roles)
            self._known[identity] = person
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return person
