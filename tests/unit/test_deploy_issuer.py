"""The local issuer's tokens are believed where its public keys are, and its private files stay private."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.datadir import DataDir
from deploy.errors import StackError
from deploy.issuer import ISSUER, KEY_RINGS, LocalIssuer, ensure_key_rings
from shared.bearer import BearerRefused, BearerVerifier, TrustedIssuer
from shared.clock import ManualClock
from shared.ids import SystemIds
from shared.keys import KeyRing


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, 9, tzinfo=UTC))


@pytest.fixture
def issuer(tmp_path: Path) -> LocalIssuer:
    made = LocalIssuer(tmp_path / "issuer")
    made.ensure()
    return made


async def test_a_minted_token_tells_who_and_with_which_roles(issuer: LocalIssuer, clock: ManualClock) -> None:
    verifier = BearerVerifier([TrustedIssuer.model_validate(issuer.trusted())], clock)
    text = issuer.mint(sub="ana", roles=["operator", "visitor"], now=clock.unix(), ttl_s=60)

    identity = await verifier.verify(text)

    assert (identity.issuer, identity.sub, identity.roles) == (ISSUER, "ana", frozenset({"operator", "visitor"}))


async def test_a_minted_token_ends(issuer: LocalIssuer, clock: ManualClock) -> None:
    verifier = BearerVerifier([TrustedIssuer.model_validate(issuer.trusted())], clock)
    text = issuer.mint(sub="ana", roles=[], now=clock.unix(), ttl_s=60)
    clock.advance(120)

    with pytest.raises(BearerRefused, match="expired"):
        await verifier.verify(text)


async def test_another_stacks_token_proves_nothing(issuer: LocalIssuer, clock: ManualClock, tmp_path: Path) -> None:
    other = LocalIssuer(tmp_path / "other")
    other.ensure()
    verifier = BearerVerifier([TrustedIssuer.model_validate(issuer.trusted())], clock)

    with pytest.raises(BearerRefused):
        await verifier.verify(other.mint(sub="ana", roles=["operator"], now=clock.unix(), ttl_s=60))


def test_the_public_file_holds_no_private_key(issuer: LocalIssuer) -> None:
    assert '"d"' in issuer.private_file.read_text()
    assert '"d"' not in issuer.jwks_file.read_text()


def test_secrets_are_readable_by_their_owner_only_and_made_once(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    issuer = LocalIssuer(data.issuer)
    made = []
    for _ in range(2):
        ensure_key_rings(data, SystemIds())
        issuer.ensure()
        files = [*(data.key_file(name) for name in KEY_RINGS), issuer.private_file]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        made.append([file.read_bytes() for file in files])

    assert made[0] == made[1]
    assert len({KeyRing.load(data.key_file(name)).signing_key for name in KEY_RINGS}) == len(KEY_RINGS)


def test_without_a_key_the_message_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="make up"):
        LocalIssuer(tmp_path).mint(sub="ana", roles=[], now=0, ttl_s=1)
