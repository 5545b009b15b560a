"""What a holder is told later about decisions on people of their household; and what nobody else is."""

from html import escape
from typing import Any

import pytest

from tests.answers_world import Helpers
from tests.groups_world import Holder, holder, part
from tests.origin_browser import Browser
from tests.origin_world import ADULT, ISSUER, SENIOR, Origin
from tests.rules_world import from_age

OWN = "/v1/eligibility/decisions"
MEMBERS = "/v1/household/members"
NUMBER = "X1234567"


async def told_to(who: Holder) -> Any:
    answer = await who.client.get(OWN, headers=who.headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def household_of(who: Holder) -> list[tuple[str, str, list[str]]]:
    found = (await told_to(who))["household"]
    return [(each["member"], each["name"], [made["decision_ref"] for made in each["decisions"]]) for each in found]


async def statuses(ref: str, *people: Holder) -> list[int]:
    return [(await who.client.get(f"{OWN}/{ref}", headers=who.headers)).status_code for who in people]


async def take_out(who: Holder, member: str) -> None:
    assert (await who.client.delete(f"{MEMBERS}/{member}", headers=who.headers)).status_code == 204


async def test_the_holder_reads_why_by_person_with_the_same_explanation(origin: Origin) -> None:
    ana = holder(origin)
    kim = await ana.member("Kim", NUMBER)
    origin.world.clock.advance(1)
    lou = await ana.member("Lou", "Y1234567")
    await ana.member("Nobody asked", "Z1234567")
    own, lous = await ana.decision(ADULT), await ana.decision_for(lou)
    first = await ana.decision_for(kim, ADULT)
    origin.world.clock.advance(1)
    second = await ana.decision_for(kim, SENIOR)
    assert await household_of(ana) == [(kim, "Kim", [second, first]), (lou, "Lou", [lous])]
    assert [each["decision_ref"] for each in (await told_to(ana))["decisions"]] == [own]
    hers, his = [(await ana.client.get(f"{OWN}/{ref}", headers=ana.headers)).json() for ref in (own, first)]
    assert (hers["member"], his["member"]) == (None, kim)
    for name in ("reasons", "missing", "can", "stand", "changes_on", "outcome", "detailed"):
        assert his[name] == hers[name]
    assert (hers["said"], his["said"]) == ("Not yet, but your turn will come", "Not yet, but their turn will come")


async def test_two_households_with_the_same_child_see_each_what_they_have_asked(origin: Origin) -> None:
    """U6: whoever knows a number learns nothing of what was decided about its holder."""
    ana, bo = holder(origin), holder(origin, "bo")
    kim = await ana.member("Kim", NUMBER)
    hers = await ana.decision_for(kim, ADULT)
    his_kim = await bo.member("Kimberly", NUMBER)
    assert await household_of(bo) == []
    assert await statuses(hers, ana, bo) == [200, 404]
    his = await bo.decision_for(his_kim)
    assert await household_of(bo) == [(his_kim, "Kimberly", [his])]
    assert await household_of(ana) == [(kim, "Kim", [hers])]
    await take_out(ana, kim)
    assert (await household_of(ana), await household_of(bo)) == ([], [(his_kim, "Kimberly", [his])])
    assert await statuses(hers, ana, bo) == [404, 404]
    assert await statuses(his, ana, bo) == [404, 200]


async def test_who_was_taken_out_is_no_longer_shown_to_the_former_holder(origin: Origin) -> None:
    """U6, on the pages too."""
    ana, browser = holder(origin), Browser(origin)
    kim = await ana.member("Kim", NUMBER)
    own, his = await ana.decision(ADULT), await ana.decision_for(kim, ADULT)
    shown = (await browser.get("/decisions")).text
    assert [f"/decisions/{ref}" in shown for ref in (own, his)] == [True, True]
    await take_out(ana, kim)
    shown = (await browser.get("/decisions")).text
    assert [f"/decisions/{ref}" in shown for ref in (own, his)] == [True, False]
    assert "Kim" not in shown
    assert (await browser.get(f"/decisions/{his}")).status_code == 404
    assert await household_of(ana) == []
    again = await ana.member("Kim", NUMBER)  # what she has asked herself
    assert await household_of(ana) == [(again, "Kim", [his])]


async def test_neither_strangers_nor_people_who_are_not_signed_in_see_it(origin: Origin) -> None:
    ana, bo = holder(origin), holder(origin, "bo")
    his = await ana.decision_for(await ana.member(), ADULT)
    assert await told_to(bo) == {"decisions": [], "household": []}
    assert await statuses(his, bo) == [404]
    stranger = Browser(origin, "bo")
    assert (await stranger.get(f"/decisions/{his}")).status_code == 404
    assert (await stranger.press("/decisions", f"/decisions/{his}/book")).status_code == 404
    assert (await origin.client.get(f"{OWN}/{his}")).status_code == 401


async def test_who_asked_is_written_down_in_the_same_commit_and_only_for_members(origin: Origin) -> None:
    """U1, for who asked."""
    ana = holder(origin)
    kim = await ana.member()
    await ana.decision()
    his = await ana.decision_for(kim)
    rows = await origin.world.connection.fetch(
        "SELECT about::text, person, actor, details::text FROM audit_event WHERE kind = 'asked_for_member'"
    )
    assert [tuple(row) for row in rows] == [(his, origin.state.people.pseudonym(ISSUER, "ana"), "visitor", "{}")]
    await origin.world.connection.execute(
        "ALTER TABLE audit_event ADD CONSTRAINT none CHECK (kind <> 'asked_for_member') NOT VALID"
    )
    body = {"facts": SENIOR, "member": kim}
    refused = await ana.client.post("/v1/eligibility:evaluate", json=body, headers=ana.headers)
    assert refused.status_code >= 500
    assert await origin.world.count("decision") == 2


async def test_a_decision_made_again_while_booking_is_still_the_one_who_askeds(origin: Origin) -> None:
    ana, slot = holder(origin), await origin.world.slot(capacity=2)
    kim = await ana.member()
    first = await ana.decision_for(kim)
    await origin.world.rules(offers=from_age(60)["offers"])
    origin.world.clock.advance(1)
    assert (await ana.book_all(part(slot, first, member=kim))).status_code == 201
    ((member, _, refs),) = await household_of(ana)
    assert (member, len(refs), refs[1]) == (kim, 2, first)


async def test_an_exception_for_a_member_is_the_holders_to_see_and_to_book_with(origin: Origin) -> None:
    ana, bo, browser = holder(origin), holder(origin, "bo"), Browser(origin)
    slot = await origin.world.slot()
    kim = await ana.member("<b>Kim</b>", NUMBER)
    await bo.member("Kim", NUMBER)
    his = await ana.decision_for(kim, ADULT)
    origin.world.clock.advance(1)
    _, granted = await Helpers(origin.client).granted(his)
    assert await household_of(ana) == [(kim, "<b>Kim</b>", [granted, his])]
    assert (await household_of(bo), await statuses(granted, bo)) == ([], [404])
    page = (await browser.get(f"/decisions/{granted}")).text
    assert ("This is about" in page, escape("<b>Kim</b>") in page, "<b>Kim" in page) == (True, True, False)
    listed = (await browser.get("/decisions")).text
    assert (escape("<b>Kim</b>") in listed, "<b>Kim" in listed) == (True, False)
    pressed = await browser.press(f"/decisions/{granted}", f"/decisions/{granted}/book")
    assert pressed.headers["location"] == "/household/party"
    assert "Can book now" in (await browser.get("/household/party")).text
    assert (await browser.get("/slots")).headers["location"] == "/household/party"
    assert (await browser.post(f"/household/confirm/{slot}", {})).status_code == 303
    assert await origin.world.count("appointment", "booked_by IS NOT NULL") == 1


@pytest.mark.parametrize(("facts", "link"), [(SENIOR, "/household"), (ADULT, None)])
async def test_the_page_of_a_member_leads_to_the_household(
    origin: Origin, facts: dict[str, Any], link: str | None
) -> None:
    ana = holder(origin)
    his = await ana.decision_for(await ana.member(), facts)
    page = (await Browser(origin).get(f"/decisions/{his}")).text
    assert ('class="button" href="/slots"' in page, 'class="button" href="/household"' in page) == (False, bool(link))
