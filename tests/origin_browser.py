"""A browser on the booking pages, for tests that need no real one: cookies are kept, forms are sent with their key."""

import re
from dataclasses import dataclass, field
from typing import Any

import httpx

from origin.gate import ADMISSION_COOKIE
from origin.identity import SESSION_COOKIE
from tests.origin_world import ISSUER, Origin, admission


@dataclass
class Browser:
    """Somebody who is signed in and was let through."""

    origin: Origin
    sub: str = "ana"
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str) -> httpx.Response:
        """Open a page; redirects are not followed."""
        return await self._send("GET", path)

    async def post(self, path: str, form: dict[str, Any]) -> httpx.Response:
        """Send a form, with the key of the page that it is on."""
        return await self._send("POST", path, await self.form_of(path) | form)

    async def press(self, page: str, path: str, *, accept: str = "text/html") -> httpx.Response:
        """Press a button on a page that sends its form elsewhere."""
        return await self._send("POST", path, await self.form_of(page), accept=accept)

    async def send(self, path: str, form: dict[str, Any]) -> httpx.Response:
        """Send a form as it is given."""
        return await self._send("POST", path, form)

    async def form_of(self, page: str) -> dict[str, str]:
        """Return the hidden fields of a page's form."""
        html = (await self.get(page)).text
        return {name: value for name in ("csrf", "key") if (value := _hidden(html, name))}

    async def post_from(self, page: str, path: str, form: dict[str, Any]) -> httpx.Response:
        """Send a form that stands on another page than the one it leads to."""
        key = _hidden((await self.get(page)).text, "csrf")
        return await self._send("POST", path, {"csrf": key} | form)

    async def answer(self, facts: dict[str, Any]) -> httpx.Response:
        """Answer the questions; return the page with the result."""
        year, month, day = facts["birth_date"].split("-")
        form = {"day": day, "month": month, "year": year, "region": facts["region"], "job": facts["job_code"]}
        answered = await self.post("/eligibility", form | {"conditions": facts["conditions"] or ["none"]})
        assert (answered.status_code, answered.headers["location"]) == (303, "/eligibility/result"), answered.text
        return await self.get("/eligibility/result")

    async def come_back(self) -> None:
        """Be let through once more."""
        now = self.origin.world.clock.now()
        exchanged = await self.origin.client.post("/v1/admission:exchange", json={"token": admission(now=now)})
        self.cookies[ADMISSION_COOKIE] = exchanged.cookies[ADMISSION_COOKIE]
        expires_at = int(now.timestamp()) + 7200
        self.cookies[SESSION_COOKIE] = self.origin.state.people.start_session(
            ISSUER, self.sub, frozenset({"visitor"}), expires_at
        )

    async def _send(
        self, method: str, path: str, form: dict[str, Any] | None = None, *, accept: str = "text/html"
    ) -> httpx.Response:
        if not self.cookies:
            await self.come_back()
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with httpx.AsyncClient(base_url=self.origin.client.base_url, timeout=30) as fresh:
            answer = await fresh.request(method, path, data=form, headers={"Cookie": cookie, "Accept": accept})
        self.cookies |= dict(answer.cookies)
        return answer


def _hidden(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    return found[1] if found else ""
