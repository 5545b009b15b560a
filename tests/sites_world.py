"""What the tests of a site's side share: its staff, people whose slot it cancels, and the worker's chore."""

from dataclasses import dataclass
from typing import Any

import httpx

from origin.offers.promising import Promising
from tests.origin_world import Origin, Visitor, bearer

STAFF = "site_staff:1"
SITE = "/v1/admin/sites/1"


@dataclass
class Clinic:
    """The site in Madrid, seen by its staff and by its people."""

    origin: Origin

    async def staff(self, method: str, path: str, body: Any = None, *, role: str = STAFF) -> httpx.Response:
        """Call as somebody who works there."""
        headers = {"Authorization": f"Bearer {bearer('stella', role)}"}
        return await self.origin.client.request(method, SITE + path, json=body, headers=headers)

    async def cancel(self, slot: int, people: int) -> str:
        """Cancel a slot with that many people; return the cancellation's id."""
        done = await self.staff("POST", ":cancel", {"slot_id": slot, "reason": "snowed in", "confirm": people})
        assert done.status_code == 201, done.text
        return str(done.json()["id"])

    async def booked(self, slot: int, *subs: str) -> list[tuple[Visitor, str]]:
        """Book the slot for each; return them with their appointments."""
        people = []
        for sub in subs:
            visitor = self.origin.visitor(sub)
            answer = await visitor.book(slot, await visitor.decision())
            assert answer.status_code == 201, answer.text
            people.append((visitor, str(answer.json()["id"])))
        return people

    async def work(self) -> int:
        """Let the worker do all that is due."""
        state = self.origin.state
        return await Promising(state.database, self.origin.world.clock, state.ids, state.metrics, state.offers).run()

    async def offer(self, visitor: Visitor) -> dict[str, Any]:
        """A person's only offer."""
        answer = await self.origin.client.get("/v1/offers", headers=visitor.headers)
        (only,) = answer.json()["offers"]
        assert isinstance(only, dict)
        return only

    async def answer(self, visitor: Visitor, what: str, offer: dict[str, Any]) -> httpx.Response:
        """Answer an offer."""
        return await self.origin.client.post(
            f"/v1/offers/{offer['id']}:{what}", json={"slot_id": offer["slot"]["id"]}, headers=visitor.headers
        )

    async def progress(self, cancellation: str) -> dict[str, int]:
        """How many people are where; nought is left out."""
        seen = (await self.staff("GET", f"/cancellations/{cancellation}")).json()["progress"]
        return {state: count for state, count in seen.items() if count}

    async def told(self, appointment: str) -> list[str]:
        """What the outbox has for an appointment, in its order."""
        rows = await self.origin.world.connection.fetch(
            "SELECT kind FROM outbox WHERE appointment = $1::text::uuid ORDER BY id", appointment
        )
        return [row["kind"] for row in rows]

    async def books_add_up(self) -> bool:
        """Whether what remains is, of each slot, its capacity without who is in it and who is promised it."""
        wrong = await self.origin.world.count(
            "slot",
            "remaining <> capacity - (SELECT count(*) FROM hold h WHERE h.slot = slot.id) - (SELECT count(*)"
            " FROM appointment a WHERE a.slot = slot.id AND a.status <> 'cancelled')",
        )
        return wrong == 0
