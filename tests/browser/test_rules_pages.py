"""The rules page of staff in a real browser: they sign in, read, compare, and go back with one press."""

import msgspec
import pytest
from playwright.async_api import Page, expect

from tests.browser.accessible import faults_of
from tests.browser.conftest import Visit
from tests.browser.stack import Stack
from tests.browser.way import Way
from tests.rules_world import from_age

pytestmark = pytest.mark.asyncio(loop_scope="session")

RULES = "/admin/programmes/demo/rules"
AUTHOR, REVIEWER, OPERATOR = "aurelia", "rosa", "olga"  # as the local identity provider knows them


async def _staff(stack: Stack, visit: Visit, name: str, *, javascript: bool = True) -> Way:
    """Come to the rules page without being signed in, and sign in there."""
    way = Way(await visit(javascript=javascript), stack)
    await way.page.goto(stack.origin_url + RULES)
    await way.heading("Please sign in")
    await way.sign_in(name)
    await way.heading("Rules")
    return way


async def _check(page: Page) -> None:
    assert await faults_of(page) == []


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
async def test_staff_publish_and_go_back_with_one_press(stack: Stack, visit: Visit, javascript: bool) -> None:
    author = await _staff(stack, visit, AUTHOR, javascript=javascript)
    await author.page.get_by_text("Draft a new version").click()
    document = msgspec.json.encode(from_age(3)).decode()
    await author.page.get_by_label("or its text").fill(document)
    await author.page.get_by_label("Why?").last.fill("children too")
    await author.press("Draft it")
    await expect(author.page.get_by_role("heading", level=1)).to_contain_text("Waits for review")
    address = author.page.url.partition("?")[0]
    version = address.rpartition("/")[2]

    reviewer = await _staff(stack, visit, REVIEWER, javascript=javascript)
    await reviewer.page.goto(address)
    await reviewer.press("Compare")
    await expect(reviewer.page.get_by_role("heading", level=1)).to_contain_text(f"Version {version} beside version")
    await reviewer.page.goto(address)
    await reviewer.page.get_by_label("Why?").fill("as ordered")
    await reviewer.page.get_by_label("Approve").check()
    await reviewer.press("Keep my review")
    await expect(reviewer.page.get_by_role("heading", level=1)).to_contain_text("Approved")
    activate = reviewer.page.locator("form[action$='/activate']")
    await activate.get_by_label("Why?").fill("it begins")
    await reviewer.press("Put it in force")
    await expect(reviewer.page.get_by_role("heading", level=1)).to_contain_text("In force")

    operator = await _staff(stack, visit, OPERATOR, javascript=javascript)
    await operator.press(f"Roll back version {version}")
    await expect(operator.page.get_by_role("status")).to_have_text("Rolled back, on every origin.")
    await expect(operator.page.get_by_role("row", name=f"Version {version}")).to_contain_text("No longer in force")
    assert await stack.value("SELECT version FROM rules_in_force WHERE programme = 'demo' AND region IS NULL") == 1


def _case(name: str, outcome: str, **expect: str) -> dict[str, object]:
    facts = {"birth_date": "1967-01-01", "region": "ES-MD", "job_code": "5223", "conditions": []}
    return {"name": name, "on": "2027-03-01", "facts": facts, "expect": {"outcome": outcome, **expect}}


async def _draft(author: Way, age: int, *cases: dict[str, object]) -> str:
    """Draft rules with their cases, a file; return the address of the version."""
    await author.page.goto(author.stack.origin_url + RULES)
    await author.page.get_by_text("Draft a new version").click()
    await author.page.get_by_label("or its text").fill(msgspec.json.encode(from_age(age)).decode())
    await author.page.get_by_label("Its example cases").set_input_files(
        {"name": "my.cases.json", "mimeType": "application/json", "buffer": msgspec.json.encode(cases)}
    )
    await author.page.get_by_label("Why?").last.fill(f"from {age}")
    await author.press("Draft it")
    await expect(author.page.get_by_role("heading", level=1)).to_contain_text("Waits for review")
    return author.page.url.partition("?")[0]


async def test_a_reviewer_sees_what_the_cases_say_and_plans_on_a_places_clock(stack: Stack, visit: Visit) -> None:
    author = await _staff(stack, visit, AUTHOR)
    before = await _draft(author, 70, _case("Farmer of sixty", "not_eligible"))
    wrong = await _draft(author, 50, _case("Farmer of sixty", "eligible"), _case("The same", "eligible", cohort="old"))

    reviewer = await _staff(stack, visit, REVIEWER)
    page = reviewer.page
    await page.goto(wrong)
    await expect(page.get_by_text("1 of 2 come out as expected")).to_be_visible()
    await expect(page.get_by_text("it can only be rejected")).to_be_visible()
    await page.get_by_label("Approve").check()
    await page.get_by_label("Why?").fill("as ordered")
    await reviewer.press("Keep my review")
    await expect(page.get_by_role("alert")).to_contain_text("The same (cohort: expected old, found only)")
    await expect(page.get_by_label("Why?")).to_have_value("as ordered")
    await _check(page)
    await page.get_by_label("What differs from").select_option(before.rpartition("/")[2])
    await reviewer.press("Compare")
    await expect(page.get_by_text("cases come out otherwise.")).to_be_visible()
    await expect(page.get_by_role("row", name="otherwise: Farmer of sixty").first).to_contain_text("may not book")
    await _check(page)

    await page.goto(before)
    await page.get_by_label("Approve").check()
    await page.get_by_label("Why?").fill("as ordered")
    await reviewer.press("Keep my review")
    activate = page.locator("form[action$='/activate']")
    await activate.get_by_label("Why?").fill("in summer")
    await activate.get_by_label("At this time").fill("2099-03-29T02:30")
    await activate.get_by_label("On the clock of").select_option("Europe/Madrid")
    await reviewer.press("Put it in force")
    await expect(page.get_by_role("alert")).to_contain_text("There is no such time on that clock")
    await expect(activate.get_by_label("At this time")).to_have_value("2099-03-29T02:30")
    await _check(page)
    await activate.get_by_label("At this time").fill("2099-07-01T08:00")
    await reviewer.press("Put it in force")
    await expect(page.get_by_text("1 Jul 2099 06:00 UTC").first).to_be_visible()
    await expect(page.get_by_text("1 Jul 2099 08:00 Europe/Madrid")).to_be_visible()
    for language in ("ar", "es", "fr"):
        await page.context.add_cookies([{"name": "vestibule_lang", "value": language, "url": stack.origin_url}])
        for address in (before, wrong, f"{wrong}/diff?with={before.rpartition('/')[2]}"):
            await page.goto(address)
            await _check(page)


async def test_the_rules_pages_are_for_everybody_who_works_with_them(stack: Stack, visit: Visit) -> None:
    way = await _staff(stack, visit, REVIEWER)
    page = way.page
    await _check(page)
    await page.get_by_role("row", name="Version 1").first.get_by_role("link").click()
    await expect(page.get_by_text("come out as expected")).to_be_visible()
    await page.get_by_text("AGE_65_OR_OLDER").first.click()
    await expect(page.get_by_text("You are 65 or older.").first).to_be_visible()
    await page.get_by_text("Try other cases").click()
    await _check(page)
    cases = b'[{"name": "A child", "on": "2027-03-01", "facts": {}, "expect": {"outcome": "eligible"}}]'
    await page.get_by_label("A file of cases (JSON)").set_input_files(
        {"name": "mine.cases.json", "mimeType": "application/json", "buffer": cases}
    )
    await way.press("Try them")
    await expect(page.get_by_text("0 of 1 come out as expected")).to_be_visible()
    await _check(page)
    for language in ("ar", "fr"):
        await page.context.add_cookies([{"name": "vestibule_lang", "value": language, "url": stack.origin_url}])
        for address in (RULES, f"{RULES}/1", f"{RULES}/1/diff?with=1"):
            await page.goto(stack.origin_url + address)
            await _check(page)


async def test_the_rules_page_is_not_open_to_visitors(stack: Stack, visit: Visit) -> None:
    way = Way(await visit(), stack)
    await way.page.goto(stack.origin_url + RULES)
    await way.sign_in("ana")
    await way.heading("This is not open to you")
    await _check(way.page)
