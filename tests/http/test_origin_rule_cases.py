"""Example cases that a version of rules carries: kept with it, met before it is approved, and shown beside others."""

import hashlib
import re
from typing import Any

import httpx
import msgspec
import pytest

from origin.eligibility import examples
from origin.eligibility.document import InvalidDocument
from tests.origin_world import START, Origin
from tests.rules_world import Officials, from_age
from tests.staff_browser import RULES, StaffBrowser

AUTHOR, REVIEWER, OPERATOR = "rules_author", "rules_reviewer", "operator"


def case(name: str, birth_date: str, outcome: str, **expect: Any) -> dict[str, Any]:
    """Somebody from Madrid without conditions."""
    facts = {"birth_date": birth_date, "region": "ES-MD", "job_code": "5223", "conditions": []}
    return {"name": name, "on": "2027-03-01", "facts": facts, "expect": {"outcome": outcome} | expect}


RIGHT = [case("Seventy-five", "1952-01-01", "eligible", cohort="only"), case("Sixty", "1967-01-01", "not_eligible")]
WRONG = [case("Sixty-five", "1962-01-01", "eligible"), case("Of the old", "1945-01-01", "eligible", cohort="old")]


def staff(origin: Origin, role: str) -> StaffBrowser:
    return StaffBrowser(origin, role, (role,))


def said(page: httpx.Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


async def test_a_version_carries_the_cases_of_its_draft_for_ever(origin: Origin, officials: Officials) -> None:
    """E5: they are part of what is reviewed, in one spelling, which the audit names."""
    version = await officials.draft(from_age(70), cases=RIGHT)
    without = await officials.draft(from_age(70))
    assert (await officials.get(f"/rules/{version}"))["cases"] == RIGHT
    assert (await officials.get(f"/rules/{without}"))["cases"] == []
    stored = await origin.world.connection.fetchval("SELECT cases FROM rule_version WHERE version = $1", version)
    told = await origin.world.connection.fetch(
        "SELECT details::jsonb ->> 'cases' AS cases FROM audit_event WHERE kind = 'rules_drafted' ORDER BY at, details"
    )
    assert {row["cases"] for row in told} == {hashlib.sha256(stored).hexdigest(), None}


async def test_rules_whose_own_cases_fail_are_not_approved_and_the_cases_are_named(officials: Officials) -> None:
    version = await officials.draft(from_age(70), cases=[*RIGHT, *WRONG])
    refused = await officials.call(REVIEWER, f"/rules/{version}:review", verdict="approved")
    assert (refused.status_code, refused.json()["code"]) == (409, "cases_failed")
    assert refused.json()["cases"] == ["Sixty-five", "Of the old"]
    assert "Sixty-five (outcome: expected eligible, found not_eligible)" in refused.json()["detail"]
    assert "Of the old (cohort: expected old, found only)" in refused.json()["detail"]
    assert (await officials.states())[version] == "draft"
    own = await officials.call(REVIEWER, f"/rules/{version}:review", sub=AUTHOR, verdict="approved")
    assert own.json()["code"] == "same_person", "who may not review is told that, not what they would have found"
    rejected = await officials.call(REVIEWER, f"/rules/{version}:review", verdict="rejected")
    assert rejected.status_code == 200
    again = await officials.call(REVIEWER, f"/rules/{version}:review", verdict="approved")
    assert again.json()["code"] == "already_reviewed"
    assert await officials.approved(from_age(70), cases=RIGHT) == version + 1


async def test_the_first_failing_cases_are_told_and_all_are_named(officials: Officials) -> None:
    many = [case(f"Person {number}", "1962-01-01", "eligible") for number in range(30)]
    version = await officials.draft(from_age(70), cases=many)
    refused = (await officials.call(REVIEWER, f"/rules/{version}:review", verdict="approved")).json()
    assert len(refused["cases"]) == 30
    assert refused["detail"].endswith("; and 20 more")


@pytest.mark.parametrize(
    ("cases", "place"),
    [
        ([{"name": "x"}], "missing required field `on` - at `$[0]`"),
        ([RIGHT[0] | {"expect": {"outcome": "perhaps"}}], "at `$[0].expect.outcome`"),
        ([RIGHT[0], RIGHT[0]], "two cases have the name Seventy-five - at `$[1].name`"),
        (None, "at `$`"),
        ([RIGHT[0] | {"name": "x" * 140_000}], "larger than 131072 bytes"),
    ],
)
async def test_what_are_no_cases_are_refused_with_the_place(officials: Officials, cases: Any, place: str) -> None:
    refused = await officials.call(AUTHOR, "/rules", document=from_age(70), cases=cases)
    assert (refused.status_code, refused.json()["code"]) == (422, "cases_invalid")
    assert place in refused.json()["detail"]
    assert set(await officials.states()) == {1}


async def test_the_page_drafts_with_cases_and_says_how_each_comes_out(origin: Origin, officials: Officials) -> None:
    author, reviewer = staff(origin, AUTHOR), staff(origin, REVIEWER)
    document = msgspec.json.encode(from_age(70)).decode()
    cases = msgspec.json.encode([*RIGHT, WRONG[1]]).decode()
    drafted = await author.post("/draft", document=document, cases=cases)
    assert (drafted.status_code, drafted.headers["location"]) == (303, f"{RULES}/2?done=draft")
    page = said(await reviewer.get("/2"))
    assert "2 of 3 come out as expected" in page
    assert "failed: Of the old 2027-03-01 may book may book only cohort : expected old, found only" in page
    assert "passed: Sixty 2027-03-01 may not book may not book" in page
    assert "1 case of this version comes out otherwise than it says: it can only be rejected." in page
    refused = await reviewer.post("/2/review", "/2", verdict="approved", reason="as ordered")
    assert refused.status_code == 409
    assert "so it cannot be approved: Of the old (cohort: expected old, found only)" in said(refused)
    assert 'value="as ordered"' in refused.text, "what was typed stays"
    assert (await reviewer.post("/2/review", "/2", verdict="rejected")).status_code == 303


async def test_a_refused_draft_keeps_what_was_typed_but_never_what_another_site_sent(origin: Origin) -> None:
    author = staff(origin, AUTHOR)
    document = msgspec.json.encode(from_age(70)).decode()
    refused = await author.post("/draft", document=document, cases='[{"name": "x"}]', region="ES-MD", reason="winter")
    assert refused.status_code == 422
    assert "These are no cases: missing required field `facts` - at `$[0]`" in said(refused)
    for kept in ("AGE_65_OR_OLDER", "[{&#34;name&#34;: &#34;x&#34;}]", '"ES-MD" selected', 'value="winter"'):
        assert kept in refused.text, kept
    forged = await author.post("/draft", csrf="x", document=document, reason="planted")
    assert forged.status_code == 403
    assert "planted" not in forged.text
    assert "AGE_65_OR_OLDER" not in forged.text


async def test_cases_that_somebody_brings_stand_beside_those_of_the_version(
    origin: Origin, officials: Officials
) -> None:
    version = await officials.draft(from_age(70), cases=RIGHT)
    brought = msgspec.json.encode(WRONG[:1]).decode()
    page = said(await staff(origin, OPERATOR).post(f"/{version}/cases", f"/{version}", cases=brought))
    assert "2 of 2 come out as expected" in page
    assert "0 of 1 come out as expected (the cases that you brought; they are not kept)" in page


async def test_beside_another_version_the_examples_of_both_tell_whom_the_change_touches(
    origin: Origin, officials: Officials
) -> None:
    await officials.active(from_age(70), cases=RIGHT)
    candidate = await officials.draft(from_age(60), cases=[case("Sixty", "1967-01-01", "eligible"), RIGHT[0]])
    page = said(await staff(origin, REVIEWER).get(f"/{candidate}/diff?with=2"))
    assert "2 cases come out otherwise. 1 comes out the same." in page
    sixty = "otherwise: Sixty 2027-03-01 {} {} may not book may book dose 1: 168, 140"
    assert sixty.format(2, "may not book") in page, "the example of the rules in force, which the candidate breaks"
    assert sixty.format(3, "may book") in page
    assert re.search("Seventy-five 2027-03-01 2, 3 may book may book dose 1: [0-9, ]+ may book dose 1", page), page
    assert page.index("otherwise: Sixty") < page.index("Seventy-five")


async def test_another_product_is_another_outcome_of_an_example(origin: Origin, officials: Officials) -> None:
    await officials.active(from_age(70), cases=RIGHT)
    other = from_age(70)
    other["offers"][0]["grants"] |= {"products": ["140"]}
    candidate = await officials.draft(other)
    page = said(await staff(origin, REVIEWER).get(f"/{candidate}/diff?with=2"))
    assert "1 case comes out otherwise. 1 comes out the same." in page


@pytest.mark.parametrize(
    ("zone", "since"),
    [("Europe/Madrid", "2099-07-01T06:00"), ("Atlantic/Canary", "2099-07-01T07:00"), ("UTC", "2099-07-01T08:00")],
)
async def test_an_activation_is_typed_on_the_clock_of_a_place_and_shown_on_all(
    origin: Origin, officials: Officials, zone: str, since: str
) -> None:
    version = await officials.approved(from_age(80))
    reviewer = staff(origin, REVIEWER)
    form = (await reviewer.get(f"/{version}")).text
    assert re.findall(r"<option>([^<]+)</option>", form) == ["Europe/Madrid", "Atlantic/Canary", "UTC"]
    done = await reviewer.post(f"/{version}/activate", f"/{version}", at="2099-07-01T08:00", zone=zone)
    assert done.status_code == 303
    moves = (await officials.get("/rules-history"))["moves"]
    assert moves[-1]["since"].startswith(since)
    page = said(await reviewer.get(f"/{version}"))
    assert "08:00 " + zone in page
    assert len(re.findall(r"1 Jul 2099 \d\d:00 (?:Europe/Madrid|Atlantic/Canary|UTC)", page)) == 3


async def test_a_region_is_offered_its_own_clock(origin: Origin, officials: Officials) -> None:
    version = await officials.approved(from_age(80), "ES-CN")
    form = (await staff(origin, REVIEWER).get(f"/{version}")).text
    assert re.findall(r"<option>([^<]+)</option>", form) == ["Atlantic/Canary", "UTC"]
    foreign = await staff(origin, REVIEWER).post(
        f"/{version}/activate", f"/{version}", at="2099-07-01T08:00", zone="Europe/Madrid"
    )
    assert (foreign.status_code, "was no moment" in said(foreign)) == (422, True)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ("2027-03-28T02:30", "There is no such time on that clock: it goes forward then."),
        ("2027-10-31T02:30", "That time comes twice on that clock: it goes back then."),
    ],
)
async def test_a_time_that_clocks_skip_or_show_twice_activates_nothing(
    origin: Origin, officials: Officials, at: str, text: str
) -> None:
    assert START.year <= 2027
    version = await officials.approved(from_age(80))
    reviewer = staff(origin, REVIEWER)
    refused = await reviewer.post(f"/{version}/activate", f"/{version}", at=at, zone="Europe/Madrid", reason="why not")
    assert (refused.status_code, text in said(refused)) == (422, True)
    for kept in (f'value="{at}"', "<option selected>Europe/Madrid", 'value="why not"'):
        assert kept in refused.text, kept
    assert (await officials.states())[version] == "approved"


async def test_a_version_of_no_known_form_with_cases_is_not_approved(
    origin: Origin, officials: Officials, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = await officials.draft(from_age(70), cases=RIGHT)

    def unknown(raw: bytes) -> Any:
        raise InvalidDocument("of a later release")

    monkeypatch.setattr(examples, "parse", unknown)
    refused = await officials.call(REVIEWER, f"/rules/{version}:review", verdict="approved")
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_rules")
    assert (await officials.states())[version] == "draft"
