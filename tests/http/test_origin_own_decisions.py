"""What people are told later about decisions on themselves."""

from datetime import timedelta
from uuid import uuid4

import httpx

from origin.eligibility.store import DecisionStore
from tests.answers_world import Helpers, denied
from tests.origin_world import ADULT, SENIOR, Origin, bearer
from tests.rules_world import from_age

OWN = "/v1/eligibility/decisions"


async def own(origin: Origin, path: str = "", sub: str = "ana", **headers: str) -> httpx.Response:
    return await origin.client.get(OWN + path, headers={"Authorization": f"Bearer {bearer(sub)}"} | headers)


async def test_whoever_was_denied_reads_why_from_when_and_what_to_do(origin: Origin) -> None:
    await origin.world.rules(offers=from_age(65)["offers"])
    almost = ADULT | {"birth_date": "1962-03-04"}
    ref = await origin.visitor().decision(almost)
    told = (await own(origin, f"/{ref}")).json()
    assert (told["stand"], told["said"]) == ("not_yet", "Not yet, but your turn will come")
    assert told["reasons"] == [{"code": "AGE_65_OR_OLDER", "text": "You are younger than 65."}]
    assert told["changes_on"] == "2027-03-04"
    assert told["programme_name"] == "Demo programme"
    assert any("contact support with the reference" in each for each in told["can"])
    assert any("Come back on that day" in each for each in told["can"])


async def test_once_the_answers_are_deleted_the_kind_words_stay(origin: Origin) -> None:
    _, ref = await denied(origin)
    before = (await own(origin, f"/{ref}")).json()
    origin.world.clock.advance(timedelta(hours=2).total_seconds())
    await DecisionStore().erase_facts(origin.world.connection, now=origin.world.clock.now(), at_most=10)
    told = (await own(origin, f"/{ref}")).json()
    assert (before["detailed"], told["detailed"]) == (True, False)
    assert told["said"] == before["said"]
    assert {each["code"] for each in before["reasons"]} <= {each["code"] for each in told["reasons"]}
    assert told["changes_on"] is None


async def test_an_exception_is_told_while_it_lives_and_when_it_has_ended(origin: Origin) -> None:
    helpers = Helpers(origin.client)
    _, ref = await denied(origin)
    origin.world.clock.advance(1)
    override, granted = await helpers.granted(ref)
    told = (await own(origin)).json()["decisions"]
    assert [(each["decision_ref"], each["stand"]) for each in told] == [(granted, "exception"), (ref, "not_yet")]
    assert told[0]["grants"] == {"product": "140", "products": ["140"], "dose": 1}
    await helpers.revoke(override)
    assert (await own(origin, f"/{granted}")).json()["stand"] == "exception_ended"


async def test_an_expired_decision_says_to_answer_again(origin: Origin) -> None:
    ref = await origin.visitor().decision(SENIOR)
    assert (await own(origin, f"/{ref}")).json()["stand"] == "open"
    origin.world.clock.advance(timedelta(hours=2).total_seconds())
    assert (await own(origin, f"/{ref}")).json()["stand"] == "expired"


async def test_it_is_told_in_the_readers_language(origin: Origin) -> None:
    _, ref = await denied(origin)
    answer = await own(origin, f"/{ref}", **{"Accept-Language": "es"})
    assert answer.headers["content-language"] == "es"
    assert answer.json()["said"] == "Todavía no, pero le llegará el turno"
    assert "Tiene menos de 65 años." in [each["text"] for each in answer.json()["reasons"]]


async def test_nobody_sees_anybody_elses(origin: Origin) -> None:
    _, ref = await denied(origin)
    for path in (f"/{ref}", f"/{uuid4()}", "/7"):
        answer = await own(origin, path, sub="bruno")
        assert (answer.status_code, answer.json()["code"]) == (404, "decision_unknown")
    assert (await own(origin, sub="bruno")).json() == {"decisions": [], "household": []}
    for path in ("", f"/{ref}"):
        assert (await origin.client.get(OWN + path)).status_code == 401
