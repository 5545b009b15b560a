"""Signing in at an OpenID provider over HTTP: who does not hold all the ends is not signed in."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from origin.web.login import LOGIN_S, Login, LoginFailed
from shared.clock import ManualClock
from shared.ids import SystemIds
from shared.keys import KeyRing
from tests.serving import Serve

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"}, private=True)
OTHER = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"}, private=True)
RING = KeyRing("o1", {"o1": b"origin-key-for-tests-of-32-bytes"})


@dataclass
class Provider:
    """An OpenID provider that can be told to cheat."""

    url: str = ""
    nonce: str = ""
    challenge: str = ""
    key: RSAKey = field(default_factory=lambda: KEY)
    claims: dict[str, Any] = field(default_factory=dict)
    status: int = 200

    def app(self) -> Starlette:
        """Return it as an app."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/jwks", self._keys),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def _metadata(self, _request: Request) -> Response:
        ends = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
        return JSONResponse({"issuer": self.url} | {name: self.url + path for name, path in ends.items()})

    async def _keys(self, _request: Request) -> Response:
        return Response(msgspec.json.encode(KeySet([KEY]).as_dict(private=False)))

    async def _token(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        hashed = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        if base64.urlsafe_b64encode(hashed).decode().rstrip("=") != self.challenge or form["code"] != ["good"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        claims = {"iss": self.url, "aud": "vestibule", "sub": "ana", "nonce": self.nonce}
        claims |= {"exp": int(NOW.timestamp()) + 3600} | self.claims
        return JSONResponse({"id_token": jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key)}, self.status)


@pytest.fixture
async def provider(serve: Serve) -> Provider:
    made = Provider()
    made.url = await serve(made.app())
    return made


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def login(provider: Provider, clock: ManualClock) -> Login:
    return Login(provider.url, "vestibule", "secret", "http://origin/login/callback", RING, clock, SystemIds())


async def _begin(login: Login, provider: Provider) -> tuple[str, str]:
    """Return the cookie and the state of a sign-in that has reached the provider."""
    address, cookie = await login.begin()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "http://origin/login/callback"
    provider.nonce, provider.challenge = asked["nonce"], asked["code_challenge"]
    assert provider.nonce not in cookie
    return cookie, asked["state"]


async def _reason(login: Login, cookie: str, state: str, code: str = "good") -> str:
    with pytest.raises(LoginFailed) as failed:
        await login.finish(cookie, state=state, code=code)
    return failed.value.reason


async def test_who_comes_back_with_everything_is_signed_in(login: Login, provider: Provider) -> None:
    provider.claims = {"roles": ["visitor"]}
    cookie, state = await _begin(login, provider)
    identity = await login.finish(cookie, state=state, code="good")
    assert (identity.issuer, identity.sub, identity.roles) == (provider.url, "ana", frozenset({"visitor"}))


async def test_another_state_code_or_cookie_signs_nobody_in(login: Login, provider: Provider) -> None:
    cookie, state = await _begin(login, provider)
    assert await _reason(login, cookie, "other") == "refused"
    assert await _reason(login, cookie, "é") == "refused"
    assert await _reason(login, cookie, state, code="") == "refused"
    assert await _reason(login, cookie, state, code="bad") == "refused"
    assert await _reason(login, "", state) == "expired"
    other, _ = await login.begin()
    assert other
    foreign = (await login.begin())[1]
    assert await _reason(login, foreign, state) == "refused"


async def test_a_code_that_belongs_to_another_sign_in_is_refused_by_its_verifier(
    login: Login, provider: Provider
) -> None:
    cookie, state = await _begin(login, provider)
    provider.challenge = "of-somebody-else"
    assert await _reason(login, cookie, state) == "refused"


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "other"},
        {"nonce": ""},
        {"nonce": 5},
        {"aud": "other"},
        {"iss": "http://other"},
        {"exp": 1},
        {"sub": ""},
    ],
    ids=lambda claims: next(iter(claims)),
)
async def test_a_token_with_a_wrong_claim_signs_nobody_in(
    login: Login, provider: Provider, claims: dict[str, Any]
) -> None:
    cookie, state = await _begin(login, provider)
    provider.claims = claims
    assert await _reason(login, cookie, state) == "refused"


async def test_a_token_that_the_provider_did_not_sign_is_refused(login: Login, provider: Provider) -> None:
    cookie, state = await _begin(login, provider)
    provider.key = OTHER
    assert await _reason(login, cookie, state) == "refused"


async def test_a_sign_in_that_took_too_long_begins_again(login: Login, provider: Provider, clock: ManualClock) -> None:
    cookie, state = await _begin(login, provider)
    clock.advance(LOGIN_S)
    assert await _reason(login, cookie, state) == "expired"


async def test_a_provider_that_is_away_is_said_to_be(login: Login, provider: Provider, clock: ManualClock) -> None:
    cookie, state = await _begin(login, provider)
    provider.status = 503
    assert await _reason(login, cookie, state) == "unavailable"
    nobody = Login("http://127.0.0.1:9", "vestibule", "secret", "http://origin/", RING, clock, SystemIds())
    with pytest.raises(LoginFailed, match="unavailable"):
        await nobody.begin()
