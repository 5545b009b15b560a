"""The origin against its own OpenAPI document: no 5xx, no undocumented status, nothing but the documented shapes."""

import asyncio
from pathlib import Path
from typing import Any

from tests import origin_world
from tests.fuzzing import fuzz
from tests.origin_world import bearer


async def test_every_answer_to_any_request_is_documented(database_url: str, tmp_path: Path) -> None:
    async with origin_world.origin(database_url, tmp_path) as origin:
        document = (await origin.client.get("/openapi.json")).json()
        base = str(origin.client.base_url)
        await origin.world.slot(capacity=100)
        ours = {path: item for path, item in document["paths"].items() if "/admin/" not in path}
        seen = await asyncio.to_thread(fuzz, document | {"paths": ours}, base, origin.visitor().headers, 60)
        assert {operation for operation, _ in seen} == {
            "POST /v1/appointments",
            "GET /v1/appointments/{id}",
            "DELETE /v1/appointments/{id}",
            "GET /v1/slots",
            "POST /v1/eligibility:evaluate",
            "POST /v1/admission:exchange",
            "POST /v1/admission:extend",
            "GET /v1/capacity",
        }
        # It got behind the gate, and was refused there and before it.
        assert {("GET /v1/slots", 200), ("GET /v1/slots", 403), ("GET /v1/slots", 422)} <= seen
        assert {("POST /v1/eligibility:evaluate", 200), ("POST /v1/appointments", 404)} <= seen


async def test_every_answer_to_officials_is_documented(database_url: str, tmp_path: Path) -> None:
    async with origin_world.origin(database_url, tmp_path) as origin:
        document = (await origin.client.get("/openapi.json")).json()
        theirs = {path: item for path, item in document["paths"].items() if "/admin/" in path}
        headers = {"Authorization": f"Bearer {bearer('olga', 'rules_author', 'rules_reviewer', 'operator')}"}
        here = {path.replace("{programme}", "demo"): _without_programme(item) for path, item in theirs.items()}
        good = {"POST /v1/admin/programmes/demo:freeze": {"reason": "a test"}}
        seen = await asyncio.to_thread(
            fuzz, document | {"paths": theirs | here}, str(origin.client.base_url), headers, 15, good
        )
        assert {("POST /v1/admin/programmes/demo:freeze", 200), ("GET /v1/admin/programmes/demo/rules", 200)} <= seen
        assert ("POST /v1/admin/programmes/demo/rules", 422) in seen


def _without_programme(item: dict[str, Any]) -> dict[str, Any]:
    return {
        method: operation
        | {
            "operationId": f"{operation['operationId']}_here",
            "parameters": [each for each in operation.get("parameters", []) if each["name"] != "programme"],
        }
        for method, operation in item.items()
    }
