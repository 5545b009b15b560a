"""Support staff, an ombudsman and those who may make exceptions, for the tests: they call the admin API over HTTP."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from tests.origin_world import ADULT, SENIOR, START, Origin, Visitor, bearer

DECISIONS = "/v1/admin/decisions"
OVERRIDES = "/v1/admin/overrides"
TOMORROW = (START + timedelta(days=1)).isoformat()
WANTED: dict[str, Any] = {"product": "140", "dose": 1, "expires_at": TOMORROW, "reason": "her doctor asks for it"}
__all__ = ["ADULT", "DECISIONS", "OVERRIDES", "SENIOR", "TOMORROW", "WANTED", "Helpers"]


@dataclass
class Helpers:
    """Everybody who helps, by name: sofia (support), omar (ombudsman), vera and victor (overriders)."""

    client: httpx.AsyncClient

    async def get(self, path: str, *, sub: str = "sofia", role: str = "support", **headers: str) -> httpx.Response:
        """GET."""
        return await self.client.get(path, headers={"Authorization": f"Bearer {bearer(sub, role)}"} | headers)

    async def post(self, path: str, *, sub: str, role: str = "overrider", **body: object) -> httpx.Response:
        """POST."""
        return await self.client.post(path, json=body, headers={"Authorization": f"Bearer {bearer(sub, role)}"})

    async def answer(self, ref: str, **headers: str) -> Any:
        """What support is told about a decision."""
        answer = await self.get(f"{DECISIONS}/{ref}", **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def make(self, ref: str, *, sub: str = "vera", **changes: Any) -> httpx.Response:
        """Ask for an exception."""
        return await self.post(f"{DECISIONS}/{ref}:override", sub=sub, **WANTED | changes)

    async def made(self, ref: str, **changes: Any) -> str:
        """Ask for an exception; return its id."""
        answer = await self.make(ref, **changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def confirm(self, override: str, *, sub: str = "victor") -> httpx.Response:
        """Confirm."""
        return await self.post(f"{OVERRIDES}/{override}:confirm", sub=sub, reason="seen the letter")

    async def revoke(self, override: str, *, sub: str = "vera", role: str = "overrider") -> httpx.Response:
        """Revoke."""
        return await self.post(f"{OVERRIDES}/{override}:revoke", sub=sub, role=role, reason="a mistake")

    async def granted(self, ref: str, **changes: Any) -> tuple[str, str]:
        """Make and confirm; return the override and the decision to book with."""
        override = await self.made(ref, **changes)
        answer = await self.confirm(override)
        assert answer.status_code == 200, answer.text
        return override, str(UUID(answer.json()["decision_ref"]))


async def denied(origin: Origin, sub: str = "ana") -> tuple[Visitor, str]:
    """Somebody to whom the rules say no, with the reference."""
    visitor = origin.visitor(sub)
    return visitor, await visitor.decision(ADULT)
