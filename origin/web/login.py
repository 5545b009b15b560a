"""Sign in at an OpenID provider: authorization code flow with PKCE (RFC 7636), state and nonce.

What must survive the way to the provider and back is an encrypted cookie that lives for ten minutes.
"""

import base64
import hashlib
import hmac
from urllib.parse import urlencode

import httpx
import msgspec
from pydantic import HttpUrl

from origin.web.box import Box
from shared import tls
from shared.bearer import BearerRefused, BearerVerifier, Identity, KeysUnavailable, TrustedIssuer
from shared.clock import Clock
from shared.ids import Ids
from shared.keys import KeyRing

LOGIN_COOKIE = "vestibule_login"
LOGIN_S = 600
_TIMEOUT_S = 5.0


class LoginFailed(Exception):
    """Nobody was signed in. ``reason``: ``unavailable`` (the provider), ``expired`` (took too long), ``refused``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Flow(msgspec.Struct):
    state: str
    nonce: str
    verifier: str


class _Provider(msgspec.Struct):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class _Tokens(msgspec.Struct):
    id_token: str


class _Nonce(msgspec.Struct):
    nonce: str = ""


class Login:
    """One client at one provider. Its metadata (OpenID Connect Discovery) is read at the first sign-in."""

    def __init__(
        self, issuer: str, client_id: str, client_secret: str, callback: str, ring: KeyRing, clock: Clock, ids: Ids
    ) -> None:
        self._issuer = issuer.rstrip("/")
        self._client_id = client_id
        self._client_secret = client_secret
        self._callback = callback
        self._clock = clock
        self._ids = ids
        self._box: Box[_Flow] = Box(_Flow, ring, "login", clock, ids)
        self._known: tuple[_Provider, BearerVerifier] | None = None

    async def begin(self) -> tuple[str, str]:
        """Return where to send the browser, and the cookie that it must bring back.

        Raises:
            LoginFailed: ``unavailable``.
        """
        provider, _ = await self._provider()
        flow = _Flow(self._ids.secret(), self._ids.secret(), self._ids.secret(48))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(flow.verifier.encode()).digest()).decode().rstrip("=")
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._callback,
            "scope": "openid",
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        join = "&" if "?" in provider.authorization_endpoint else "?"
        return f"{provider.authorization_endpoint}{join}{urlencode(query)}", self._box.seal(flow, life_s=LOGIN_S)

    async def finish(self, cookie: str, *, state: str, code: str) -> Identity:
        """Return who has signed in.

        Raises:
            LoginFailed: with its reason.
        """
        flow = self._box.open(cookie)
        if flow is None:
            raise LoginFailed("expired")
        if not code or not hmac.compare_digest(flow.state.encode(), state.encode()):
            raise LoginFailed("refused")
        provider, verifier = await self._provider()
        token = await self._exchange(provider, code, flow.verifier)
        try:
            identity = await verifier.verify(token)
        except BearerRefused:
            raise LoginFailed("refused") from None
        except KeysUnavailable:
            raise LoginFailed("unavailable") from None
        if not hmac.compare_digest(_nonce(token).encode(), flow.nonce.encode()):
            raise LoginFailed("refused")
        return identity

    async def _exchange(self, provider: _Provider, code: str, code_verifier: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback,
            "code_verifier": code_verifier,
        }
        try:
            async with _client() as client:
                answer = await client.post(
                    provider.token_endpoint, data=form, auth=(self._client_id, self._client_secret)
                )
        except httpx.HTTPError as error:
            raise LoginFailed("unavailable") from error
        if answer.status_code != 200:
            raise LoginFailed("unavailable" if answer.status_code >= 500 else "refused")
        try:
            return msgspec.json.decode(answer.content, type=_Tokens).id_token
        except msgspec.DecodeError:
            raise LoginFailed("refused") from None

    async def _provider(self) -> tuple[_Provider, BearerVerifier]:
        if self._known is None:
            provider = await self._discover()
            keys = TrustedIssuer(issuer=self._issuer, audience=self._client_id, jwks_url=HttpUrl(provider.jwks_uri))
            self._known = provider, BearerVerifier([keys], self._clock)
        return self._known

    async def _discover(self) -> _Provider:
        try:
            async with _client() as client:
                answer = await client.get(f"{self._issuer}/.well-known/openid-configuration")
            provider = msgspec.json.decode(answer.raise_for_status().content, type=_Provider)
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            raise LoginFailed("unavailable") from error
        if provider.issuer.rstrip("/") != self._issuer:
            raise LoginFailed("unavailable")
        return provider


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=_TIMEOUT_S, verify=tls.context())


def _nonce(token: str) -> str:
    """Return the nonce of an ID token whose signature was verified; an empty text where it has none."""
    body = token.split(".")[1]
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)), type=_Nonce).nonce
    except msgspec.DecodeError:
        return ""
