"""What tests of courses and households share: visitors who book several appointments at once."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from tests.origin_world import SENIOR, Origin, Visitor, World, admission, bearer

COURSE: dict[str, Any] = {"product": "140", "dose": 1, "days_min": 21, "days_max": 28, "reason": "the leaflet says so"}


async def set_course(world: World, **changes: Any) -> None:
    """Let a second dose follow the first of product 140."""
    course = {"product": "140", "dose": 1, "days_min": 21, "days_max": 28, "first_alone": True} | changes
    await world.connection.execute(
        "INSERT INTO course (programme, product, dose, days_min, days_max, first_alone)"
        " VALUES ('demo', $1, $2, $3, $4, $5)",
        *course.values(),
    )


@dataclass
class Holder(Visitor):
    """Somebody with a household."""

    async def add(self, name: str = "Kim", document: str = "X1234567") -> httpx.Response:
        """Name a member."""
        body = {"name": name, "document": document}
        return await self.client.post("/v1/household/members", json=body, headers=self.headers)

    async def member(self, name: str = "Kim", document: str = "X1234567") -> str:
        """Name a member; return the id."""
        answer = await self.add(name, document)
        assert answer.status_code in {200, 201}, answer.text
        return str(answer.json()["id"])

    async def decision_for(self, member: str, facts: dict[str, Any] | None = None) -> str:
        """Have a member evaluated; return the reference."""
        body = {"facts": facts or SENIOR, "member": member}
        answer = await self.client.post("/v1/eligibility:evaluate", json=body, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["decision_ref"])

    async def book_all(self, *parts: dict[str, Any], key: str | None = None) -> httpx.Response:
        """Try to book parts together."""
        headers = self.headers | {"Idempotency-Key": key or uuid4().hex}
        return await self.client.post("/v1/bookings", json={"parts": list(parts)}, headers=headers)


def holder(origin: Origin, sub: str = "ana") -> Holder:
    """Somebody who was just let through."""
    return Holder(origin.client, sub, admission(now=origin.world.clock.now()))


def part(slot: int, decision: str, **more: Any) -> dict[str, Any]:
    """Return a part of a booking."""
    return {"slot_id": slot, "decision_ref": decision} | more


def operator(sub: str = "olga") -> dict[str, str]:
    """Credentials of an operator."""
    return {"Authorization": f"Bearer {bearer(sub, 'operator')}"}
