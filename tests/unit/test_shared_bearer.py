"""Bearer tokens: trusted issuers only, keys by file or URL, every fault refused with a reason."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from shared.bearer import BearerRefused, BearerVerifier, KeysUnavailable, TrustedIssuer
from shared.clock import ManualClock
from tests.serving import Serve

START = datetime(2027, 1, 1, tzinfo=UTC)
NOW = int(START.timestamp())
KEY = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
OTHER = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)


def mint(key: RSAKey = KEY, **changes: Any) -> str:
    claims = {"iss": "urn:test", "aud": "vestibule", "sub": "ana", "exp": NOW + 600, "iat": NOW, "roles": ["operator"]}
    return jwt.encode(
        {"alg": "RS256", "kid": key.kid}, {k: v for k, v in (claims | changes).items() if v is not None}, key
    )


def jwks(*keys: RSAKey) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def verifier(tmp_path: Path, clock: ManualClock) -> BearerVerifier:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(jwks(KEY)))
    return BearerVerifier([TrustedIssuer(issuer="urn:test", audience="vestibule", jwks_file=path)], clock)


async def test_a_good_token_names_the_caller_and_the_roles(verifier: BearerVerifier) -> None:
    identity = await verifier.verify(mint())
    assert (identity.issuer, identity.sub, identity.roles) == ("urn:test", "ana", frozenset({"operator"}))
    assert "ana" not in repr(identity)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("garbage", "malformed"),
        ("a.b.c", "malformed"),
        (mint(iss="urn:stranger"), "unknown_issuer"),
        (mint(aud="someone-else"), "invalid_claims"),
        (mint(exp=NOW - 60), "expired"),
        (mint(nbf=NOW + 60), "invalid_claims"),
        (mint(OTHER), "unknown_key"),
        (mint()[:-8] + "AAAAAAAA", "bad_signature"),
        (mint(sub=None), "malformed"),
    ],
)
async def test_each_fault_is_refused_with_its_reason(verifier: BearerVerifier, text: str, reason: str) -> None:
    with pytest.raises(BearerRefused) as refused:
        await verifier.verify(text)
    assert refused.value.reason == reason


async def test_an_unsigned_token_is_refused(verifier: BearerVerifier) -> None:
    header, payload, _ = mint().split(".")
    none = "eyJhbGciOiJub25lIn0"
    for text in (f"{none}.{payload}.", f"{header}.{payload}."):
        with pytest.raises(BearerRefused):
            await verifier.verify(text)


async def test_a_token_that_was_verified_once_is_refused_when_it_has_expired(
    verifier: BearerVerifier, clock: ManualClock
) -> None:
    token = mint()
    await verifier.verify(token)
    clock.advance(700)
    with pytest.raises(BearerRefused, match="expired"):
        await verifier.verify(token)


async def test_keys_by_url_are_fetched_again_when_the_issuer_has_changed_them(serve: Serve, clock: ManualClock) -> None:
    published = [jwks(OTHER)]
    app = Starlette(routes=[Route("/jwks", lambda _: JSONResponse(published[-1]))])
    url = await serve(app)
    issuer = TrustedIssuer.model_validate({"issuer": "urn:test", "audience": "vestibule", "jwks_url": f"{url}/jwks"})
    verifier = BearerVerifier([issuer], clock)
    with pytest.raises(BearerRefused, match="unknown_key"):
        await verifier.verify(mint())
    published.append(jwks(KEY, OTHER))
    clock.advance(11)
    assert (await verifier.verify(mint())).sub == "ana"


async def test_keys_that_cannot_be_loaded_are_not_blamed_on_the_token(tmp_path: Path, clock: ManualClock) -> None:
    issuer = TrustedIssuer(issuer="urn:test", audience="vestibule", jwks_file=tmp_path / "missing.json")
    with pytest.raises(KeysUnavailable):
        await BearerVerifier([issuer], clock).verify(mint())


def test_an_issuer_needs_exactly_one_source_of_keys(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="either jwks_file or jwks_url"):
        TrustedIssuer(issuer="x", audience="y")


def test_the_key_set_used_here_is_public() -> None:
    assert all("d" not in key for key in jwks(KEY)["keys"])
    assert KeySet.import_key_set(jwks(KEY))  # type: ignore[arg-type]  # plain JSON, as published
