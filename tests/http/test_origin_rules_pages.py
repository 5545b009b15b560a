"""The rules page for those who run a programme: the same acts as the API, by forms, role by role."""

import re
from pathlib import Path
from time import perf_counter

import httpx
import msgspec
import pytest

from origin.app import create_app
from origin.eligibility.facts import FactSealer
from origin.eligibility.may import MAY, RulesAct
from origin.eligibility.shadow import Shadow
from shared.ids import SystemIds
from tests import origin_world
from tests.origin_world import ORIGIN_KEYS, PERSON_KEYS, SENIOR, Origin, bearer
from tests.rules_world import Officials, from_age
from tests.serving import serving
from tests.staff_browser import RULES, StaffBrowser

AUTHOR, REVIEWER, OPERATOR = "rules_author", "rules_reviewer", "operator"
ROLES = {role for roles in MAY.values() for role in roles}


def staff(origin: Origin, *roles: str, sub: str = "") -> StaffBrowser:
    return StaffBrowser(origin, sub or roles[0], roles)


def said(page: httpx.Response) -> str:
    """The text of a page, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


async def test_a_version_goes_from_draft_to_force_and_back_on_the_pages_alone(
    origin: Origin, officials: Officials
) -> None:
    """E5: by two people, each act with its reason and its audit row."""
    author, reviewer, operator = staff(origin, AUTHOR), staff(origin, REVIEWER), staff(origin, OPERATOR)
    drafted = await author.post("/draft", document=msgspec.json.encode(from_age(80)).decode(), reason="from 80")
    assert (drafted.status_code, drafted.headers["location"]) == (303, f"{RULES}/2?done=draft")
    assert "Waits for review" in said(await author.get("/2"))
    reviewed = await reviewer.post("/2/review", "/2", verdict="approved", reason="as ordered")
    assert reviewed.headers["location"] == f"{RULES}/2?done=review"
    assert (await author.post("/2/shadow", "/2")).status_code == 303
    assert (await reviewer.post("/2/activate", "/2", reason="in winter")).status_code == 303
    assert await officials.in_force() == {None: 2}
    page = said(await operator.get())
    assert "Version 2 since" in page
    assert "written by rules_author, reviewed by rules_reviewer" in page
    back = await operator.post("/rollback", version="2", reason="too strict")
    assert back.headers["location"] == f"{RULES}?done=rollback"
    assert await officials.in_force() == {None: 1}
    moves = (await officials.get("/rules-history"))["moves"]
    told = [(move["act"], move["actor"], move["reason"]) for move in moves[1:]]
    assert ("activated", "rules_reviewer", "in winter") in told
    assert told[-1] == ("rolled_back", "operator", "too strict")
    assert await origin.world.count("audit_event", "kind LIKE 'rules_%' AND kind <> 'rules_unshadowed'") == 5


async def test_a_rollback_is_one_press_and_in_force_on_every_origin_within_a_second(
    origin: Origin, officials: Officials, database_url: str, tmp_path: Path
) -> None:
    await officials.active(from_age(80))
    folder = tmp_path / "other"
    folder.mkdir()
    other = create_app(origin_world.config(folder, database_url), clock=origin.world.clock)
    async with serving(other) as base, httpx.AsyncClient(base_url=base, timeout=30) as client:
        headers = origin.visitor().headers
        before = await client.post("/v1/eligibility:evaluate", json={"facts": SENIOR}, headers=headers)
        assert before.json()["rule_version"] == 2
        operator = staff(origin, OPERATOR)
        page = (await operator.get()).text
        form = re.search(r'<form[^>]*action="[^"]*/rollback".*?</form>', page, re.DOTALL)
        assert form
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0]))
        assert set(fields) == {"csrf", "version", "reason"}  # all that is needed is there: one press
        started = perf_counter()
        assert (await operator._send("POST", f"{RULES}/rollback", fields)).status_code == 303
        after = await client.post("/v1/eligibility:evaluate", json={"facts": SENIOR}, headers=headers)
        assert after.json()["rule_version"] == 1
        assert perf_counter() - started < 1
    again = await operator._send("POST", f"{RULES}/rollback", fields)
    assert again.status_code == 409
    assert "Other rules are in force by now" in said(again)


@pytest.mark.parametrize("act", MAY)
async def test_every_act_needs_its_role_and_nobody_elses_will_do(
    origin: Origin, officials: Officials, act: RulesAct
) -> None:
    """U5 for the pages."""
    version = await officials.draft(from_age(80))
    paths = {"read": "", "draft": "/draft", "rollback": "/rollback", "freeze": "/freeze"}
    path = paths.get(act, f"/{version}/{act}")
    document = msgspec.json.encode(from_age(81)).decode()
    for role in (*sorted(ROLES), "visitor"):
        somebody = staff(origin, role)
        if act == "read":
            status = (await somebody.get()).status_code
            assert status == (200 if role in MAY["read"] else 403), role
            continue
        answer = await somebody.post(path, document=document, version="1", verdict="rejected")
        is_refused = "not open to you" in answer.text or "Your role does not allow this" in answer.text
        assert (answer.status_code == 403 and is_refused) == (role not in MAY[act]), (role, answer.status_code)


async def test_what_another_site_made_the_browser_send_changes_nothing(origin: Origin, officials: Officials) -> None:
    await officials.active(from_age(80))
    operator = staff(origin, OPERATOR)
    await operator.get()
    for key in ("", "o1.0", "x"):
        forged = await operator._send("POST", f"{RULES}/rollback", {"csrf": key, "version": "2", "reason": "x"})
        assert forged.status_code == 403
        assert "please send it once more" in said(forged)
    other = staff(origin, OPERATOR, sub="other")
    found = re.search(r'name="csrf" value="([^"]*)"', (await other.get()).text)
    assert found
    foreign = await operator._send("POST", f"{RULES}/rollback", {"csrf": found[1], "version": "2", "reason": "x"})
    assert foreign.status_code == 403
    assert await officials.in_force() == {None: 2}


async def test_nobody_reviews_their_own_and_the_page_says_why(origin: Origin) -> None:
    both = staff(origin, AUTHOR, REVIEWER, sub="olga")
    await both.post("/draft", document=msgspec.json.encode(from_age(80)).decode())
    own = await both.post("/2/review", "/2", verdict="approved")
    assert own.status_code == 403
    assert "reviewed by somebody else than their author" in said(own)
    silent = await staff(origin, REVIEWER).post("/2/review", "/2", verdict="approved", reason="  ")
    assert (silent.status_code, "Say why" in said(silent)) == (422, True)
    faulty = await both.post("/draft", document='{"v": 2}')
    assert faulty.status_code == 422
    assert "This is not a rule document" in said(faulty)
    assert "programme" in said(faulty)


async def test_an_activation_at_a_moment_is_shown_as_planned(origin: Origin, officials: Officials) -> None:
    await officials.approved(from_age(80))
    reviewer = staff(origin, REVIEWER)
    assert (await reviewer.post("/2/activate", "/2", at="2099-01-01T08:00", zone="UTC")).status_code == 303
    assert "Will be in force" in said(await reviewer.get("/2"))
    assert await officials.in_force() == {None: 1}
    for at in ("2001-01-01T08:00", "soon"):
        assert (await reviewer.post("/2/activate", "/2", at=at, zone="UTC")).status_code == 422


async def test_a_freeze_is_on_top_of_the_page_until_somebody_lets_booking_go_on(origin: Origin) -> None:
    slot, visitor, operator = await origin.world.slot(), origin.visitor(), staff(origin, OPERATOR)
    decision = await visitor.decision()
    assert (await operator.post("/freeze", reason="children are let in")).status_code == 303
    assert (await visitor.book(slot, decision)).status_code == 423
    assert "children are let in" in said(await operator.get())
    answer = await operator.post("/freeze", region="XX")
    assert (answer.status_code, "There is no such region" in said(answer)) == (404, True)
    assert (await operator.post("/freeze", region="\x00")).status_code == 403, "no form of ours sends that"
    assert (await operator.post("/freeze", region="ES-MD")).status_code == 303
    assert (await operator.post("/unfreeze", region="ES-MD")).status_code == 303
    assert (await operator.post("/unfreeze")).status_code == 303
    assert "Booking is frozen" not in said(await operator.get())
    assert (await visitor.book(slot, decision)).status_code == 201


async def test_what_differs_is_told_clause_by_clause_in_words(origin: Origin, officials: Officials) -> None:
    await officials.approved(from_age(70))
    await officials.approved(from_age(80))
    reviewer = staff(origin, REVIEWER)
    page = said(await reviewer.get("/3/diff?with=2"))
    assert "1 difference" in page
    assert re.search("Version 2 70 Version 3 80", page), page
    whole = said(await reviewer.get("/2/diff?with=1"))
    assert "Works as: Farmer" in whole or "Has one of:" in whole
    assert (await reviewer.get("/2/diff?with=99")).status_code == 404
    assert (await reviewer.get("/2/diff?with=x")).status_code == 404
    assert (await reviewer.get("/99")).status_code == 404
    assert "Both decide and say the same." in said(await reviewer.get("/2/diff?with=2"))


async def test_a_document_is_read_out_in_words_and_in_every_language(origin: Origin) -> None:
    reviewer = staff(origin, REVIEWER)
    page = said(await reviewer.get("/1"))
    for text in (
        "Everybody must meet All of these: Lives in:",
        "Age: at least 65",
        "gets Influenza vaccine with adjuvant, for older people or Influenza vaccine, dose 1",
        "You are 65 or older.",
        "6 of 6 come out as expected",
    ):
        assert text in page, text
    reviewer.cookies["vestibule_lang"] = "es"
    assert "Edad: al menos 65" in said(await reviewer.get("/1"))


async def test_cases_that_somebody_brings_are_tried_and_kept_nowhere(origin: Origin) -> None:
    reviewer = staff(origin, REVIEWER)
    case = {"name": "A child", "on": "2027-03-01", "facts": {"birth_date": "2024-01-01"}}
    cases = [
        case | {"expect": {"outcome": "eligible"}},
        case | {"name": "Alike", "expect": {"outcome": "not_eligible"}},
    ]
    rows = await origin.world.count("ruleset")
    page = await reviewer.post("/1/cases", "/1", cases=msgspec.json.encode(cases).decode())
    assert page.status_code == 200
    assert "1 of 2 come out as expected" in said(page)
    assert "failed: A child 2027-03-01 may book may not book" in said(page)
    assert "passed: Alike 2027-03-01 may not book may not book" in said(page)
    assert await origin.world.count("ruleset") == rows
    broken = await reviewer.post("/1/cases", "/1", cases="[{}]")
    assert (broken.status_code, "These are no cases" in said(broken)) == (422, True)


async def test_the_shadow_report_is_drawn(origin: Origin, officials: Officials) -> None:
    version = await officials.approved(from_age(80))
    await officials.call(AUTHOR, f"/rules/{version}:shadow")
    for name in ("ana", "bruno"):
        await origin.visitor(name).decision()
    sealer = FactSealer(ORIGIN_KEYS, PERSON_KEYS, SystemIds())
    assert await Shadow(origin.state.database, sealer).run() == 2
    page = await staff(origin, OPERATOR).get(f"/{version}")
    assert "2 decisions compared. 100.0 % come out otherwise." in said(page)
    assert '<rect class="other" width="1000" height="20"/>' in page.text
    assert "may book may not book AGE_65_OR_OLDER ES-MD" in said(page)


async def test_staff_sign_in_with_the_browser_and_only_for_as_long_as_a_sign_in_lasts(origin: Origin) -> None:
    nobody = await origin.client.get(RULES, headers={"Accept": "text/html"})
    assert nobody.status_code == 401
    token = {"Authorization": f"Bearer {bearer('olga', OPERATOR)}", "Accept": "text/html"}
    assert (await origin.client.get(RULES, headers=token)).status_code == 401
    operator = staff(origin, OPERATOR)
    assert (await operator.get("/admin")).headers["location"] == RULES
    origin.world.clock.advance(2 * 3600 + 1)
    assert (await operator.get()).status_code == 401


async def test_a_document_of_no_known_form_is_shown_as_such(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("origin.web.staff.rules.readable", lambda _: None)
    page = await staff(origin, OPERATOR).get("/1")
    assert "This document is in no form that is known here." in said(page)
