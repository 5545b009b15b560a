"""The whole way through the origin over HTTP: exchange, evaluate, search, book, view, cancel."""

from tests import origin_world
from tests.origin_world import MADRID, Origin


async def test_a_visitor_goes_all_the_way(origin: Origin) -> None:
    world, client = origin.world, origin.client
    slot = await world.slot(capacity=3)
    ana = origin.visitor()
    exchanged = await client.post("/v1/admission:exchange", json={"token": ana.token})
    assert exchanged.status_code == 200, exchanged.text
    assert exchanged.json() == {"room": "demo", "programme": "demo", "expires_at": "2027-03-01T09:30:00Z"}

    signed_in = {"Authorization": ana.headers["Authorization"]}
    decided = await client.post("/v1/eligibility:evaluate", json={"facts": origin_world.SENIOR}, headers=signed_in)
    assert decided.status_code == 200, decided.text
    decision = decided.json()
    assert decision["outcome"] == "eligible"
    assert decision["grants"] == {"product": "168", "products": ["168", "140"], "dose": 1}
    assert decision["reasons"] == [{"code": "AGE_65_OR_OLDER", "text": "You are 65 or older."}]

    found = await client.get("/v1/slots", params={"lat": MADRID[0], "lng": MADRID[1], "radius_km": 5})
    assert found.status_code == 200, found.text
    assert [(each["id"], each["remaining"], each["starts_at"]) for each in found.json()["slots"]] == [
        (slot, 3, "2027-03-02T10:00:00+01:00")
    ]

    booked = await ana.book(slot, decision["decision_ref"])
    assert booked.status_code == 201, booked.text
    appointment = booked.json()
    assert appointment["status"] == "confirmed"
    assert appointment["slot"]["starts_at"] == "2027-03-02T10:00:00+01:00"
    assert booked.headers["location"] == f"/v1/appointments/{appointment['id']}"

    seen = await client.get(booked.headers["location"], headers=signed_in)
    assert seen.json() == appointment
    assert (await client.delete(booked.headers["location"], headers=signed_in)).status_code == 204
    assert (await client.get(booked.headers["location"], headers=signed_in)).json()["status"] == "cancelled"
    assert await world.count("slot", "remaining = capacity") == 1
    assert await world.count("outbox") == 2
    assert await world.count("audit_event") == 3
