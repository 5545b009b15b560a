"""People: the same pseudonym by whatever they show, and never their subject."""

from pathlib import Path

import pytest
from starlette.requests import Request

from origin.identity import SESSION_COOKIE, People
from shared.bearer import BearerVerifier
from shared.clock import ManualClock
from shared.keys import KeyRing
from shared.problem import Problem
from tests import origin_world
from tests.origin_world import ISSUER, ORIGIN_KEYS, PERSON_KEYS, START, bearer

VISITOR = frozenset({"visitor"})
EXPIRES = int(START.timestamp()) + 3600


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def people(tmp_path: Path, clock: ManualClock) -> People:
    issuers = origin_world.config(tmp_path, "postgresql://nobody@127.0.0.1/none").trusted_issuers
    return People(BearerVerifier(issuers, clock), PERSON_KEYS, ORIGIN_KEYS, clock)


def request(**headers: str) -> Request:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": raw})


async def test_a_person_is_the_same_by_bearer_token_and_by_session(people: People) -> None:
    by_token = await people.caller(request(authorization=f"Bearer {bearer('ana', 'operator')}"))
    cookie = people.start_session(ISSUER, "ana", frozenset({"operator"}), EXPIRES)
    by_cookie = await people.caller(request(cookie=f"{SESSION_COOKIE}={cookie}"))
    assert by_token == by_cookie
    assert len(by_token.pseudonym) == 32
    assert "ana" not in cookie
    assert by_token.pseudonym.hex() not in repr(by_token)


async def test_people_of_different_issuers_or_keys_are_different(people: People, clock: ManualClock) -> None:
    assert people.pseudonym("urn:a", "ana") != people.pseudonym("urn:b", "ana")
    other = People(
        BearerVerifier([], clock), KeyRing("p", {"p": b"another-key-for-tests-of-32bytes"}), ORIGIN_KEYS, clock
    )
    assert people.pseudonym("urn:a", "ana") != other.pseudonym("urn:a", "ana")


async def test_a_session_ends_and_cannot_be_altered(people: People, clock: ManualClock) -> None:
    cookie = people.start_session(ISSUER, "ana", frozenset(), EXPIRES)
    assert people.signed_in(request(cookie=f"{SESSION_COOKIE}={cookie}")) is not None
    assert people.signed_in(request(cookie=f"{SESSION_COOKIE}={cookie[:-1]}")) is None
    assert people.signed_in(request(cookie="other=1")) is None
    clock.advance(3600)
    assert people.signed_in(request(cookie=f"{SESSION_COOKIE}={cookie}")) is None
    with pytest.raises(Problem, match="unauthenticated"):
        await people.caller(request(cookie=f"{SESSION_COOKIE}={cookie}"))


async def test_a_bad_bearer_token_is_not_made_good_by_a_session(people: People) -> None:
    cookie = people.start_session(ISSUER, "ana", frozenset(), EXPIRES)
    with pytest.raises(Problem, match="unauthenticated"):
        await people.caller(request(authorization="Bearer x", cookie=f"{SESSION_COOKIE}={cookie}"))


async def test_an_official_has_a_name_in_the_browser_and_a_visitor_has_none(people: People) -> None:
    sofia = people.start_session(ISSUER, "sofia", frozenset({"visitor", "support"}), EXPIRES)
    official = people.official_signed_in(request(cookie=f"{SESSION_COOKIE}={sofia}"), "overrider", "support")
    assert (official.name, official.role) == ("sofia", "support")
    assert official.pseudonym == people.pseudonym(ISSUER, "sofia")
    ana = people.signed_in(request(cookie=f"{SESSION_COOKIE}={people.start_session(ISSUER, 'ana', VISITOR, EXPIRES)}"))
    assert ana is not None
    assert ana.name == ""


@pytest.mark.parametrize("roles", [frozenset(), VISITOR, frozenset({"operator"})])
async def test_a_session_without_the_role_is_no_official(people: People, roles: frozenset[str]) -> None:
    cookie = people.start_session(ISSUER, "ana", roles, EXPIRES)
    with pytest.raises(Problem, match="forbidden"):
        people.official_signed_in(request(cookie=f"{SESSION_COOKIE}={cookie}"), "support")
    with pytest.raises(Problem, match="unauthenticated"):
        people.official_signed_in(request(), "support")
