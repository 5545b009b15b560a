"""Who is calling: bearer tokens (RFC 6750) that trusted issuers signed (RFC 7519), and the roles they give."""

import asyncio
import base64
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict, HttpUrl, model_validator
from starlette.requests import Request

from shared import problem, tls
from shared.clock import Clock
from shared.problem import Problem

ALGORITHMS = ("RS256", "ES256", "Ed25519", "EdDSA")
_LEEWAY_S = 5
_REFETCH_AFTER_S = 10.0
_CACHED_TOKENS = 50_000
_MAX_TOKEN_LENGTH = 8192


class TrustedIssuer(BaseModel):
    """An issuer whose tokens we believe, with its public keys (a JWK Set, RFC 7517) by file or URL."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str
    audience: str
    jwks_file: Path | None = None
    jwks_url: HttpUrl | None = None
    local: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> "TrustedIssuer":
        if (self.jwks_file is None) == (self.jwks_url is None):
            raise ValueError("give either jwks_file or jwks_url")
        return self


class BearerRefused(Exception):
    """A bearer token that proves nothing.

    ``reason`` is one of ``malformed, unknown_issuer, unknown_key, bad_signature, expired, invalid_claims``.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KeysUnavailable(Exception):
    """The issuer's keys cannot be had at the moment; the token may well be good."""


@dataclass(frozen=True)
class Identity:
    """A caller. ``sub`` is personal data: it is hashed before anything is stored, and never logged.

    Of operators it is kept as it is, with what they changed: who did it has to be told.
    """

    issuer: str
    sub: str = field(repr=False)
    roles: frozenset[str]
    expires_at: int


class _Claims(msgspec.Struct):
    iss: str
    sub: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    exp: int | float
    roles: list[str] = []


class _IssuerKeys:
    def __init__(self, issuer: TrustedIssuer) -> None:
        self.issuer = issuer
        self._keys: KeySet | None = None
        self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()

    async def get(self, now: float, *, fresh: bool) -> KeySet:
        async with self._lock:
            if self._keys is None or (fresh and now - self._fetched_at >= _REFETCH_AFTER_S):
                self._keys = await self._load()
                self._fetched_at = now
            return self._keys

    async def _load(self) -> KeySet:
        try:
            if self.issuer.jwks_file is not None:
                text = await asyncio.to_thread(self.issuer.jwks_file.read_bytes)
            else:
                async with httpx.AsyncClient(timeout=5, verify=tls.context()) as client:
                    text = (await client.get(str(self.issuer.jwks_url))).raise_for_status().content
            return KeySet.import_key_set(msgspec.json.decode(text))
        except (OSError, httpx.HTTPError, msgspec.DecodeError, JoseError, ValueError) as error:
            raise KeysUnavailable(self.issuer.issuer) from error


class BearerVerifier:
    """Verifies tokens of the trusted issuers; remembers verified ones until they expire, at most 50,000."""

    def __init__(self, issuers: Sequence[TrustedIssuer], clock: Clock) -> None:
        self._issuers = {issuer.issuer: _IssuerKeys(issuer) for issuer in issuers}
        self._clock = clock
        self._verified: OrderedDict[bytes, Identity] = OrderedDict()

    def known(self, text: str) -> Identity | None:
        """Return who a token speaks for that was verified before and holds; None for any other."""
        digest = _digest(text)
        known = self._verified.get(digest)
        if known is None or self._clock.unix() >= known.expires_at:
            return None
        self._verified.move_to_end(digest)
        return known

    async def verify(self, text: str) -> Identity:
        """Return who the token speaks for.

        Raises:
            BearerRefused: it is not valid now.
            KeysUnavailable: the issuer's keys cannot be loaded.
        """
        known = self.known(text)
        if known is not None:
            return known
        identity = await self._verify_signature(text, self._clock.unix())
        self._verified[_digest(text)] = identity
        if len(self._verified) > _CACHED_TOKENS:
            self._verified.popitem(last=False)
        return identity

    async def _verify_signature(self, text: str, now: float) -> Identity:
        claims = _peek(text)
        keys = self._issuers.get(claims.iss)
        if keys is None:
            raise BearerRefused("unknown_issuer")
        try:
            token = jwt.decode(text, await keys.get(now, fresh=False), algorithms=ALGORITHMS)
        except JoseError:
            # The issuer may have new keys; ask again, at most every ten seconds.
            token = _decode(text, await keys.get(now, fresh=True))
        except ValueError:
            raise BearerRefused("malformed") from None
        _check_claims(token.claims, keys.issuer, int(now))
        return Identity(claims.iss, claims.sub, frozenset(claims.roles), int(claims.exp))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _peek(text: str) -> _Claims:
    """Read the claims before they are trusted, to learn which issuer's keys to try."""
    parts = text.split(".")
    if len(text) > _MAX_TOKEN_LENGTH or len(parts) != 3 or not text.isascii():
        raise BearerRefused("malformed")
    try:
        return msgspec.json.decode(_base64(parts[1]), type=_Claims)
    except (ValueError, msgspec.DecodeError):
        raise BearerRefused("malformed") from None


def _base64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _decode(text: str, keys: KeySet) -> jwt.Token:
    try:
        return jwt.decode(text, keys, algorithms=ALGORITHMS)
    except JoseError as error:
        raise BearerRefused("bad_signature" if "signature" in error.error else "unknown_key") from None
    except ValueError:
        raise BearerRefused("malformed") from None


def _check_claims(claims: dict[str, object], issuer: TrustedIssuer, now: int) -> None:
    registry = jwt.JWTClaimsRegistry(
        now=now,
        leeway=_LEEWAY_S,
        iss={"essential": True, "value": issuer.issuer},
        aud={"essential": True, "value": issuer.audience},
        exp={"essential": True},
        sub={"essential": True},
    )
    try:
        registry.validate(claims)
    except ExpiredTokenError:
        raise BearerRefused("expired") from None
    except JoseError:
        raise BearerRefused("invalid_claims") from None


def bearer(authorization: str) -> str:
    """Return the token that an ``Authorization`` header carries.

    Raises:
        Problem: 401 ``unauthenticated``.
    """
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise Problem(problem.UNAUTHENTICATED, headers={"WWW-Authenticate": "Bearer"})
    return text.strip()


async def require_identity(request: Request, verifier: BearerVerifier, role: str | None = None) -> Identity:
    """Return the caller of a request that carries ``Authorization: Bearer …``.

    Raises:
        Problem: 401 ``unauthenticated``, 403 ``forbidden`` without ``role``, 503 ``store_unavailable`` without keys.
    """
    try:
        identity = await verifier.verify(bearer(request.headers.get("authorization", "")))
    except BearerRefused as refused:
        challenge = f'Bearer error="invalid_token", error_description="{refused.reason}"'
        raise Problem(
            problem.UNAUTHENTICATED, f"token {refused.reason}", headers={"WWW-Authenticate": challenge}
        ) from None
    except KeysUnavailable:
        raise Problem(problem.STORE_UNAVAILABLE, "the identity provider's keys cannot be loaded") from None
    if role is not None and role not in identity.roles:
        raise Problem(problem.FORBIDDEN, f"needs the role {role}")
    return identity
