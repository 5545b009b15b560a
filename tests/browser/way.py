"""The steps of a visitor's way, as people take them: by what is written on links, buttons and fields."""

import re
from dataclasses import dataclass

from playwright.async_api import Page, expect

from shared.clock import SystemClock
from tests.browser.stack import Stack
from tests.origin_world import admission


@dataclass(frozen=True)
class Way:
    """A visitor with a page."""

    page: Page
    stack: Stack

    async def join(self, room: str = "demo") -> None:
        """Take a place in line, and come to its page, which has the address of the door."""
        await self.page.goto(f"{self.stack.edge_url}/rooms/{room}")
        async with self.page.expect_navigation():
            await self.press("Take my place in line")

    async def knock(self, room: str) -> None:
        """Ask for a place, and stay at the door while the answer takes."""
        await self.page.goto(f"{self.stack.edge_url}/rooms/{room}")
        await self.press("Take my place in line")

    async def through(self) -> None:
        """Wait for the turn, and say that we are here."""
        await self.heading("It is your turn")
        await self.live()
        await self.press("I am here – go to booking")
        await self.heading("You are through. Sign in next")

    async def live(self) -> None:
        """Wait until the script has taken the page over."""
        await self.page.locator("#line[data-live]").wait_for()

    async def through_by_hand(self) -> None:
        """Go through as somebody without scripts: look again until there is a button."""
        turn = self.page.get_by_role("heading", name="It is your turn")
        while not await turn.is_visible():
            await self.page.get_by_role("link", name="Look again now").click()
        await self.press("I am here – go to booking")
        await self.press("Go to booking")
        await self.heading("You are through. Sign in next")

    async def sign_in(self, name: str | None = None) -> str:
        """Sign in at the provider; return who we are."""
        name = name or self.stack.somebody()
        await self.page.get_by_role("link", name="Sign in", exact=True).click()
        await self.page.get_by_placeholder("sub").fill(name)
        await self.press("Authorize")
        await self.page.wait_for_url(f"{self.stack.origin_url}/**")
        return name

    async def born(self, year: str = "1950") -> None:
        """Type a date of birth."""
        for label, value in (("Day", "17"), ("Month", "5"), ("Year", year)):
            await self.page.get_by_label(label, exact=True).fill(value)

    async def answer(self, year: str = "1950", region: str = "Comunidad de Madrid") -> None:
        """Answer the questions, one after the other, as far as they go; come to the decision."""
        await self.born(year)
        await self.next("Where do you live?")
        await self.page.get_by_label("Where do you live?").select_option(label=region)
        await self.next("None of these")
        await self.page.get_by_label("None of these").check()
        if int(year) > 1966:  # whoever is younger is asked about their work
            await self.next("What is your work?")
            await self.page.get_by_label("What is your work?").select_option("none")
        await self.go_on()
        await self.page.wait_for_url("**/eligibility/result*")

    async def go_on(self) -> None:
        """Send the answers, those before included."""
        await self.page.get_by_role("button", name=re.compile("^(Continue|See whether I can book)$")).click()

    async def next(self, label: str) -> None:
        """Go on to the next question; whoever has answered it before finds it there already."""
        question = self.page.get_by_label(label)
        if not await question.is_visible():
            await self.go_on()
            await question.wait_for()

    async def enter(self) -> None:
        """Come in with a token, as if through the waiting room, without its wait."""
        token = admission(now=SystemClock().now())
        await self.page.context.request.post(f"{self.stack.origin_url}/enter", form={"token": token})
        await self.page.goto(f"{self.stack.origin_url}/")
        await self.heading("You are through. Sign in next")

    async def to_questions(self) -> str:
        """Come as far as the questions; return who we are."""
        await self.enter()
        name = await self.sign_in()
        await self.follow("Start")
        await self.heading("Can you book now?")
        return name

    async def to_times(self) -> None:
        """Come as far as the free times."""
        await self.to_questions()
        await self.answer()
        await self.follow("Choose a time and a place")
        await self.heading("Choose a time and a place")

    async def choose(self, index: int = 0) -> int:
        """Choose a time; return its slot."""
        times = self.page.locator("button.time:visible")
        address = await times.nth(index).get_attribute("formaction") or ""
        await times.nth(index).click()
        await self.heading("Confirm your appointment")
        return int(address.split("/")[2])

    async def to_confirm(self) -> int:
        """Come as far as confirming; return the slot."""
        await self.to_times()
        return await self.choose()

    async def press(self, name: str) -> None:
        """Press a button."""
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def follow(self, name: str) -> None:
        """Follow a link."""
        await self.page.get_by_role("link", name=name, exact=True).click()

    async def heading(self, text: str) -> None:
        """Wait for the page with this heading."""
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(text)

    async def appointment(self) -> str:
        """Return the appointment's id once it is shown."""
        await expect(self.page).to_have_url(re.compile("/appointments/"))
        await self.heading("Your appointment")
        return self.page.url.rsplit("/", 1)[1].partition("?")[0]
