"""Somebody who brings supply by upload, by program and by page, and the worker that imports it."""

import re
from dataclasses import dataclass
from typing import Any

import httpx

from origin.inventory.uploads.running import UploadRunner
from origin.inventory.uploads.store import UploadStore
from shared.ids import SystemIds
from tests.origin_world import Origin, bearer
from tests.staff_browser import StaffBrowser
from tests.supply_world import REGIONS, SITES, Desk, row, slots_csv

API = "/v1/admin/programmes/demo/supply"
PAGE = "/admin/programmes/demo/supply"
NEW = {"regions": REGIONS, "sites": SITES, "slots": slots_csv(row(9, site="bilbao-1"), row(10, site="bilbao-1"))}


@dataclass
class Bringer:
    """Somebody with the role, by program and by page; and the worker."""

    origin: Origin
    url: str
    desk: Desk
    roles: tuple[str, ...] = ("supply",)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {bearer('silvia', *self.roles)}"}

    @property
    def browser(self) -> StaffBrowser:
        return StaffBrowser(self.origin, "silvia", self.roles)

    def runner(self, store: UploadStore | None = None) -> UploadRunner:
        return UploadRunner(self.origin.state.database, self.url, self.origin.world.clock, SystemIds(), store)

    async def post(self, query: str = "", **files: str) -> httpx.Response:
        parts = [("files", (f"{name}.csv", text)) for name, text in files.items()]
        return await self.origin.client.post(f"{API}:import{query}", files=parts, headers=self.headers)

    async def run(self, upload: str, **wish: Any) -> httpx.Response:
        return await self.origin.client.post(f"{API}/{upload}:run", json=wish, headers=self.headers)

    async def told(self, upload: str) -> dict[str, Any]:
        answer = await self.origin.client.get(f"{API}/{upload}", headers=self.headers)
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    async def brought(self, query: str = "", **files: str) -> dict[str, Any]:
        """Send files, let the worker work, and return what came of it."""
        sent = await self.post(query, **files)
        assert sent.status_code == 202, sent.text
        await self.runner().work_off()
        return await self.told(sent.json()["id"])


def said(page: httpx.Response) -> str:
    """What a page says, without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())
