"""Households over HTTP: members by document, questions for each, adjacent times, all booked or none."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from origin.household.members import MOST_MEMBERS, NAMED_A_DAY
from origin.identity import Person
from origin.sealing import Vault
from shared.ids import SystemIds
from shared.keys import KeyRing
from tests import origin_world
from tests.groups_world import Holder, holder, operator, part
from tests.origin_world import ISSUER, MADRID, ORIGIN_KEYS, SENIOR, Origin

MEMBERS = "/v1/household/members"


async def names(ana: Holder) -> list[str]:
    answer = await ana.client.get(MEMBERS, headers=ana.headers)
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()["members"]]


async def test_members_are_added_listed_and_removed(origin: Origin) -> None:
    ana, bo = holder(origin), holder(origin, "bo")
    added = await ana.add("  Kim \t Ümit ", "x-123 45.67")
    assert (added.status_code, added.json()["name"]) == (201, "Kim Ümit")
    again = await ana.add("Kim", "X1234567")  # the same number, typed otherwise
    assert (again.status_code, again.json()) == (200, added.json())
    assert (await names(ana), await names(bo)) == (["Kim Ümit"], [])
    address = f"{MEMBERS}/{added.json()['id']}"
    for who, status in ((bo, 404), (ana, 204), (ana, 404)):
        assert (await origin.client.delete(address, headers=who.headers)).status_code == status
    assert await names(ana) == []
    assert await origin.world.count("household_member") == 0


async def test_two_parents_who_name_a_child_name_one_person(origin: Origin) -> None:
    """B2 holds over households."""
    ana, bo = holder(origin), holder(origin, "bo")
    slot = await origin.world.slot(capacity=9)
    hers, his = await ana.member("Kim", "X-1234567"), await bo.member("Kimberly", "x1234567")
    assert (await ana.book_all(part(slot, await ana.decision_for(hers), member=hers))).status_code == 201
    refused = await bo.book_all(
        part(
            slot,
            await bo.decision(),
        ),
        part(slot, await bo.decision_for(his), member=his),
    )
    told = refused.json()
    assert (refused.status_code, told["code"], told["part"]) == (409, "already_booked", 2)
    assert await origin.world.count("appointment") == 1


@pytest.mark.parametrize(
    ("name", "document"), [(" ", "X1234567"), ("a\x07b", "X1234567"), ("Kim", "-1-2-3-"), ("Kim", "é" * 40)]
)
async def test_what_is_no_name_or_number_is_refused(origin: Origin, name: str, document: str) -> None:
    answer = await holder(origin).add(name, document)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_body")


async def test_a_household_has_room_for_so_many_and_so_many_are_named_in_a_day(origin: Origin) -> None:
    ana = holder(origin)
    ids = [await ana.member(f"m{number}", f"number{number}") for number in range(MOST_MEMBERS)]
    full = await ana.add("one more", "number99")
    assert (full.status_code, full.json()["code"]) == (409, "household_full")
    for number, id_ in enumerate(ids[: NAMED_A_DAY - MOST_MEMBERS]):
        await origin.client.delete(f"{MEMBERS}/{id_}", headers=ana.headers)
        await ana.member("other", f"other{number}")
    await origin.client.delete(f"{MEMBERS}/{ids[-1]}", headers=ana.headers)
    enough = await ana.add("again", "number100")
    assert (enough.status_code, enough.json()["code"]) == (429, "named_enough")
    assert int(enough.headers["retry-after"]) == 24 * 3600
    origin.world.clock.advance(24 * 3600)
    assert (await ana.add("again", "number100")).status_code == 201


async def test_a_decision_for_a_member_is_theirs_and_only_the_holder_may_ask(origin: Origin) -> None:
    ana, bo = holder(origin), holder(origin, "bo")
    kim, slot = await ana.member(), await origin.world.slot(capacity=2)
    body = {"facts": SENIOR, "member": kim}
    refused = await origin.client.post("/v1/eligibility:evaluate", json=body, headers=bo.headers)
    assert (refused.status_code, refused.json()["code"]) == (404, "member_unknown")
    decision = await ana.decision_for(kim)
    assert (await ana.book(slot, decision)).json()["code"] == "decision_unknown"  # Kim's, not Ana's
    assert (await ana.book_all(part(slot, decision))).json()["code"] == "decision_unknown"
    stolen = await bo.book_all(part(slot, decision, member=kim))
    assert (stolen.status_code, stolen.json()["code"], stolen.json()["part"]) == (404, "member_unknown", 1)
    assert (await ana.book_all(part(slot, decision, member=kim))).status_code == 201


async def test_a_family_is_booked_together_and_its_holder_sees_and_cancels_each(origin: Origin) -> None:
    ana, bo = holder(origin), holder(origin, "bo")
    kim, slot = await ana.member(), await origin.world.slot(capacity=2)
    booked = await ana.book_all(
        part(slot, await ana.decision()), part(slot, await ana.decision_for(kim), member=kim), key="k"
    )
    assert booked.status_code == 201, booked.text
    own, hers = booked.json()["appointments"]
    assert (own["member"], hers["member"]) == (None, kim)
    assert await origin.world.count("appointment", "booked_by IS NOT NULL") == 1
    address = f"/v1/appointments/{hers['id']}"
    seen = await origin.client.get(address, headers=ana.headers)
    assert seen.json() == hers
    for call in (origin.client.get, origin.client.delete):
        assert (await call(address, headers=bo.headers)).status_code == 404
    assert (await origin.client.delete(address, headers=ana.headers)).status_code == 204
    assert await origin.world.count("slot", "remaining = 1") == 1


async def test_a_key_answers_the_same_when_a_member_was_removed_since(origin: Origin) -> None:
    """B4, for a group; and a new booking for somebody removed is refused, whoever else is in it."""
    ana = holder(origin)
    kim, slot = await ana.member(), await origin.world.slot(capacity=9)
    wanted = part(slot, await ana.decision_for(kim), member=kim)
    booked = await ana.book_all(wanted, key="k")
    await origin.client.delete(f"{MEMBERS}/{kim}", headers=ana.headers)
    again = await ana.book_all(wanted, key="k")
    assert (again.status_code, again.json()) == (201, booked.json())
    seen = await origin.client.get(f"/v1/appointments/{booked.json()['appointments'][0]['id']}", headers=ana.headers)
    assert (seen.status_code, seen.json()["member"]) == (200, None)
    ana.token = origin_world.admission(now=origin.world.clock.now())
    refused = await ana.book_all(part(slot, await ana.decision()), wanted)
    assert (refused.json()["code"], refused.json()["part"]) == ("member_unknown", 2)


async def test_one_admission_books_one_group_and_a_failed_attempt_costs_nothing(origin: Origin) -> None:
    """B7, for a group."""
    ana = holder(origin)
    kim, few, many = await ana.member(), await origin.world.slot(), await origin.world.slot(hours=25, capacity=9)
    own, hers = await ana.decision(), await ana.decision_for(kim)
    gone = await ana.book_all(part(few, own), part(few, hers, member=kim))
    assert (gone.json()["code"], gone.json()["part"]) == ("slot_gone", 2)
    assert await origin.world.count("slot", "remaining < capacity") == 0
    assert await origin.world.count("outbox") == 0
    assert (await ana.book_all(part(many, own), part(many, hers, member=kim))).status_code == 201
    for used in (await ana.book_all(part(few, own)), await ana.book(few, own)):
        assert (used.status_code, used.json()["code"]) == (409, "admission_used")


async def test_somebody_twice_in_a_booking_is_named(origin: Origin) -> None:
    ana = holder(origin)
    slot, decision = await origin.world.slot(capacity=9), await ana.decision()
    answer = await ana.book_all(part(slot, decision), part(slot, decision))
    assert (answer.json()["code"], answer.json()["part"]) == ("already_booked", 2)
    assert await origin.world.count("appointment") == 0


async def test_adjacent_times_are_one_slot_with_room_or_times_that_follow_each_other(origin: Origin) -> None:
    world = origin.world
    one = await world.slot(hours=24)
    two = await world.slot(hours=24.5, capacity=2)
    await world.slot(hours=25, product="168")
    after_a_gap = await world.slot(hours=25.5, capacity=3)
    elsewhere = await world.slot(site=2, hours=20, capacity=5)
    query: dict[str, str | float] = {"lat": MADRID[0], "lng": MADRID[1], "radius_km": 100, "product": "140", "party": 3}
    ana = holder(origin)
    found = await origin.client.get("/v1/slots/adjacent", params=query, headers=ana.headers)
    assert found.status_code == 200, found.text
    runs = [[(slot["slot_id"], slot["places"]) for slot in each["slots"]] for each in found.json()["together"]]
    assert runs == [[(one, 1), (two, 2)], [(after_a_gap, 3)], [(elsewhere, 3)]]
    alone = await origin.client.get("/v1/slots/adjacent", params=query | {"party": 1}, headers=ana.headers)
    assert [each["slots"][0]["slot_id"] for each in alone.json()["together"]] == [one, two, after_a_gap, elsewhere]
    many = await origin.client.get("/v1/slots/adjacent", params=query | {"party": 6}, headers=ana.headers)
    assert many.json()["together"] == []
    none = await origin.client.get("/v1/slots/adjacent", params=query | {"party": 10}, headers=ana.headers)
    assert none.json()["code"] == "invalid_query"


async def test_a_name_is_sealed_and_no_name_or_number_is_told_anywhere(
    origin: Origin, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """U3 and U4, for households."""
    ana, name, document = holder(origin), "Zacharias Quixote", "ZQ7654321"
    kim, slot = await ana.member(name, document), await origin.world.slot(capacity=2)
    booked = await ana.book_all(part(slot, await ana.decision_for(kim), member=kim))
    assert booked.status_code == 201
    await origin.client.get(MEMBERS, headers=ana.headers)
    told = capsys.readouterr()
    text = told.out + told.err + caplog.text + (await origin.client.get("/metrics")).text
    rows = await origin.world.connection.fetch(
        "SELECT m::text AS row FROM household_member m UNION ALL SELECT a::text FROM audit_event a"
        " UNION ALL SELECT i::text FROM idempotency i UNION ALL SELECT o::text FROM outbox o"
        " UNION ALL SELECT n::text FROM household_naming n"
    )
    text += " ".join(row["row"] for row in rows) + str(booked.request.url) + booked.text
    for secret in (name, "Quixote", document):
        for spelled in (secret, secret.lower(), secret.encode().hex()):
            assert spelled not in text


async def test_a_name_is_sealed_again_under_the_current_key(origin: Origin) -> None:
    ana = holder(origin)
    kim = UUID(await ana.member("Kim"))
    keys = {"o0": b"an origin key of days gone by, 32", "o1": ORIGIN_KEYS.signing_key}
    before, after = (Vault(KeyRing(current, keys), "household", SystemIds()) for current in ("o0", "o1"))
    await origin.world.connection.execute("UPDATE household_member SET name = $1", before.seal(b"Kim", kim.bytes))
    assert await names(ana) == [""]  # under a key that this origin does not have
    households = replace(origin.state.households, vault=after)
    person = Person(origin.state.people.pseudonym(ISSUER, "ana"), frozenset())
    assert [each.name for each in await households.all(person)] == ["Kim"]
    assert await names(ana) == ["Kim"]  # by now under the current one


async def test_a_name_whose_key_is_gone_is_empty_and_the_member_stays(origin: Origin) -> None:
    ana = holder(origin)
    kim = await ana.member("Kim")
    await origin.world.connection.execute("UPDATE household_member SET name = 'o0.lost'::bytea")
    assert await names(ana) == [""]
    assert (await ana.add("Kim", "X1234567")).json()["id"] == kim  # still the same person


async def test_members_are_nobodys_business_without_signing_in(origin: Origin) -> None:
    for method, path in (("GET", MEMBERS), ("POST", MEMBERS), ("DELETE", f"{MEMBERS}/{uuid4()}")):
        answer = await origin.client.request(method, path, json={} if method == "POST" else None)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_while_a_programme_is_frozen_no_group_is_booked_and_the_same_key_books_afterwards(origin: Origin) -> None:
    """B8, for a group."""
    ana = holder(origin)
    kim, slot = await ana.member(), await origin.world.slot(capacity=2)
    parts = part(slot, await ana.decision()), part(slot, await ana.decision_for(kim), member=kim)
    freeze = "/v1/admin/programmes/demo:freeze"
    await origin.client.post(freeze, json={"reason": "a test"}, headers=operator())
    refused = await ana.book_all(*parts, key="k")
    assert (refused.status_code, refused.json()["code"]) == (423, "frozen")
    assert await origin.world.count("appointment") == 0
    await origin.client.post(freeze.replace(":", ":un"), json={"reason": "a test"}, headers=operator())
    assert (await ana.book_all(*parts, key="k")).status_code == 201


async def hold(origin: Origin, slot: int) -> None:
    """Let Ana hold a place of a slot; then none is free anywhere."""
    await origin.world.connection.execute(
        "INSERT INTO hold (id, programme, person, slot, kind, created_at, expires_at)"
        " VALUES (gen_random_uuid(), 'demo', $1, $2, 'opened', $3, $3::timestamptz + '2 minutes')",
        origin.state.people.pseudonym(ISSUER, "ana"),
        slot,
        origin.world.clock.now(),
    )
    await origin.world.connection.execute("UPDATE slot SET remaining = 0")


async def test_a_place_that_the_holder_holds_is_for_whoever_of_the_booking_gets_it(origin: Origin) -> None:
    ana, bo = holder(origin), origin.visitor("bo")
    kim, slot = await ana.member(), await origin.world.slot()
    await hold(origin, slot)
    assert (await bo.book(slot, await bo.decision())).json()["code"] == "slot_gone"
    booked = await ana.book_all(part(slot, await ana.decision_for(kim), member=kim))
    assert booked.status_code == 201, booked.text
    assert await origin.world.count("hold") == 0
    assert await origin.world.count("slot", "remaining = 0") == 1


async def test_a_hold_stays_where_the_group_is_refused(origin: Origin) -> None:
    ana = holder(origin)
    kim, slot, gone = await ana.member(), await origin.world.slot(), await origin.world.slot(hours=25)
    await hold(origin, slot)
    refused = await ana.book_all(part(slot, await ana.decision_for(kim), member=kim), part(gone, await ana.decision()))
    assert (refused.json()["code"], refused.json()["part"]) == ("slot_gone", 2)
    assert await origin.world.count("hold") == 1
    assert await origin.world.count("slot", "remaining = 0") == 2
