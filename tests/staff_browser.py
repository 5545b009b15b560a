"""A browser in which somebody of the staff has signed in, for tests that need no real one."""

import re
from dataclasses import dataclass, field
from typing import Any

import httpx

from origin.identity import SESSION_COOKIE
from tests.origin_world import ISSUER, Origin

RULES = "/admin/programmes/demo/rules"


@dataclass
class StaffBrowser:
    """Somebody with roles, or nobody without any."""

    origin: Origin
    sub: str
    roles: tuple[str, ...]
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        until = int(self.origin.world.clock.unix()) + 7200
        people = self.origin.state.people
        self.cookies[SESSION_COOKIE] = people.start_session(ISSUER, self.sub, frozenset(self.roles), until)

    async def get(self, path: str = "") -> httpx.Response:
        """Open a page; redirects are not followed."""
        return await self._send("GET", _address(path))

    async def post(self, path: str, page: str = "", **form: Any) -> httpx.Response:
        """Send a form that is on ``page``, with its key."""
        return await self._send("POST", _address(path), {"reason": "a test"} | await self._key(page) | form)

    async def upload(self, path: str, **files: str | bytes) -> httpx.Response:
        """Send files of these names by the form that is on the page."""
        parts = [("files", (f"{name}.csv", text)) for name, text in files.items()]
        return await self._send("POST", path, await self._key(path), parts)

    async def _key(self, page: str) -> dict[str, str]:
        found = re.search(r'name="csrf" value="([^"]*)"', (await self.get(page)).text)
        return {"csrf": found[1]} if found else {}

    async def _send(
        self, method: str, path: str, form: dict[str, Any] | None = None, files: Any = None
    ) -> httpx.Response:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with httpx.AsyncClient(base_url=self.origin.client.base_url, timeout=30) as fresh:
            answer = await fresh.request(
                method, path, data=form, files=files, headers={"Cookie": cookie, "Accept": "text/html"}
            )
        self.cookies |= dict(answer.cookies)
        return answer


def _address(path: str) -> str:
    return path if path.startswith("/admin") else RULES + path
