"""The origin against its own OpenAPI document: no 5xx, no undocumented status, nothing but the documented shapes."""

import asyncio
from pathlib import Path
from typing import Any

from tests import answers_world, origin_world
from tests.fuzzing import fuzz
from tests.origin_world import bearer


async def test_every_answer_to_any_request_is_documented(database_url: str, tmp_path: Path) -> None:
    async with origin_world.origin(database_url, tmp_path) as origin:
        document = (await origin.client.get("/openapi.json")).json()
        base = str(origin.client.base_url)
        await origin.world.slot(capacity=100)
        ours = {path: item for path, item in document["paths"].items() if "/admin/" not in path}
        good: dict[str, dict[str, Any]] = {
            "GET /v1/slots": {
                "place": "Madrid",
                "product": ["140", "168"],
                "sort": "first_available",
                "step_free": "true",
            },
            "GET /v1/slots/days": {"lat": "40", "lng": "-3", "radius_km": "100", "month": "2027-03"},
            "GET /v1/places": {"q": "madr"},
        }
        seen = await asyncio.to_thread(fuzz, document | {"paths": ours}, base, origin.visitor().headers, 60, good)
        assert {operation for operation, _ in seen} == {
            "POST /v1/appointments",
            "GET /v1/appointments/{id}",
            "DELETE /v1/appointments/{id}",
            "POST /v1/bookings",
            "POST /v1/appointments/{id}:reschedule",
            "POST /v1/holds",
            "DELETE /v1/holds/{id}",
            "POST /v1/appointments/{id}:return",
            "GET /v1/offers",
            "GET /v1/offers/{id}",
            "POST /v1/offers/{id}:accept",
            "POST /v1/offers/{id}:another",
            "POST /v1/offers/{id}:decline",
            "POST /v1/waitlist",
            "GET /v1/waitlist",
            "DELETE /v1/waitlist/{id}",
            "POST /v1/waitlist/{id}:enter",
            "GET /v1/slots",
            "GET /v1/slots/days",
            "GET /v1/places",
            "GET /v1/slots/adjacent",
            "GET /v1/slots/{id}/next-dose",
            "GET /v1/household/members",
            "POST /v1/household/members",
            "DELETE /v1/household/members/{id}",
            "POST /v1/eligibility:evaluate",
            "GET /v1/eligibility/decisions",
            "GET /v1/eligibility/decisions/{ref}",
            "POST /v1/admission:exchange",
            "POST /v1/admission:extend",
            "GET /v1/capacity",
            "GET /v1/feeds",
            "GET /v1/feeds/{programme}/$bulk-publish",
            "GET /v1/feeds/{programme}/locations.ndjson",
            "GET /v1/feeds/{programme}/schedules.ndjson",
            "GET /v1/feeds/{programme}/slots.ndjson",
        }
        # It got behind the gate, and was refused there and before it.
        assert {("GET /v1/slots", 200), ("GET /v1/slots", 403), ("GET /v1/slots", 422)} <= seen
        assert {("GET /v1/slots/days", 200), ("GET /v1/places", 200)} <= seen
        assert {("POST /v1/eligibility:evaluate", 200), ("POST /v1/appointments", 404)} <= seen


async def test_every_answer_to_officials_is_documented(database_url: str, tmp_path: Path) -> None:
    async with origin_world.origin(database_url, tmp_path) as origin:
        document = (await origin.client.get("/openapi.json")).json()
        theirs = {path: item for path, item in document["paths"].items() if "/admin/" in path}
        roles = ("rules_author", "rules_reviewer", "operator", "support", "overrider")
        headers = {"Authorization": f"Bearer {bearer('olga', *roles)}"}
        ref = await origin.visitor().decision(origin_world.ADULT)
        here = {
            path.format_map(_Known(programme="demo", ref=ref, site="1")): _without(item, "programme", "ref", "site")
            for path, item in theirs.items()
        }
        good = {
            "POST /v1/admin/programmes/demo:freeze": {"reason": "a test"},
            f"POST /v1/admin/decisions/{ref}:override": answers_world.WANTED,
        }
        seen = await asyncio.to_thread(
            fuzz, document | {"paths": theirs | here}, str(origin.client.base_url), headers, 15, good
        )
        assert {("POST /v1/admin/programmes/demo:freeze", 200), ("GET /v1/admin/programmes/demo/rules", 200)} <= seen
        assert ("POST /v1/admin/programmes/demo/rules", 422) in seen
        assert {("GET /v1/admin/sites/1/cancellations", 200), ("POST /v1/admin/sites/1:cancel", 422)} <= seen
        assert {(f"GET /v1/admin/decisions/{ref}", 200), (f"POST /v1/admin/decisions/{ref}:override", 201)} <= seen


class _Known(dict[str, str]):
    """Parts of an address that are known; others stay as they are."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def _without(item: dict[str, Any], *names: str) -> dict[str, Any]:
    return {
        method: operation
        | {
            "operationId": f"{operation['operationId']}_here",
            "parameters": [each for each in operation.get("parameters", []) if each["name"] not in names],
        }
        for method, operation in item.items()
    }
