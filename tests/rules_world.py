"""Those who publish rules and freeze programmes, for the tests: they call the admin API over HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from origin.eligibility import versions
from tests.origin_world import bearer

ADMIN = "/v1/admin/programmes/demo"


def from_age(age: int) -> dict[str, Any]:
    """The demo rules, but with one offer: what seniors get, for everybody of this age or older."""
    clause = {"is": "age", "op": ">=", "value": age, "reason": "AGE_65_OR_OLDER"}
    document: dict[str, Any] = msgspec.json.decode(versions.DEMO.read_bytes())
    grants = next(offer["grants"] for offer in document["offers"] if offer["id"] == "seniors")
    return document | {"offers": [{"id": "only", "when": clause, "grants": grants}]}


@dataclass
class Officials:
    """An author, a reviewer and an operator of the demo programme."""

    client: httpx.AsyncClient

    async def call(self, role: str, path: str, *, sub: str | None = None, **body: object) -> httpx.Response:
        """POST in the name of somebody with one role."""
        headers = {"Authorization": f"Bearer {bearer(sub or role, role)}"}
        return await self.client.post(ADMIN + path, json={"reason": "a test"} | body, headers=headers)

    async def get(self, path: str, role: str = "rules_author") -> Any:
        """GET; return the JSON."""
        answer = await self.client.get(ADMIN + path, headers={"Authorization": f"Bearer {bearer(role, role)}"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def draft(self, document: object, region: str | None = None, cases: Sequence[object] = ()) -> int:
        """Draft; return the version."""
        answer = await self.call("rules_author", "/rules", document=document, region=region, cases=list(cases))
        assert answer.status_code == 201, answer.text
        return int(answer.json()["version"])

    async def approved(self, document: object, region: str | None = None, cases: Sequence[object] = ()) -> int:
        """Draft and approve; return the version."""
        version = await self.draft(document, region, cases)
        answer = await self.call("rules_reviewer", f"/rules/{version}:review", verdict="approved")
        assert answer.status_code == 200, answer.text
        return version

    async def activate(self, version: int, at: str | None = None) -> None:
        """Activate."""
        answer = await self.call("rules_reviewer", f"/rules/{version}:activate", at=at)
        assert answer.status_code == 200, answer.text

    async def active(self, document: object, region: str | None = None, cases: Sequence[object] = ()) -> int:
        """Draft, approve and activate; return the version."""
        version = await self.approved(document, region, cases)
        await self.activate(version)
        return version

    async def rollback(self, version: int, region: str | None = None) -> httpx.Response:
        """Go back from a version."""
        return await self.call("operator", "/rules:rollback", version=version, region=region)

    async def states(self) -> dict[int, str]:
        """Each version with its state."""
        return {each["version"]: each["state"] for each in (await self.get("/rules"))["versions"]}

    async def in_force(self) -> dict[str | None, int | None]:
        """The versions in force by region."""
        return {each["region"]: each["version"] for each in (await self.get("/rules"))["in_force"]}
