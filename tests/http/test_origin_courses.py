"""Two-dose courses over HTTP: set by operators, offered inside the interval, booked with one press or not at all."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests import origin_world
from tests.groups_world import COURSE, Holder, holder, operator, part, set_course
from tests.origin_world import Origin, bearer

DAY = 24
COURSES = "/v1/admin/programmes/demo/courses"


@pytest.fixture
async def ana(origin: Origin) -> Holder:
    await set_course(origin.world)
    return holder(origin)


async def nothing_booked(origin: Origin) -> bool:
    return await origin.world.count("appointment") == 0 == await origin.world.count("slot", "remaining < capacity")


async def test_both_doses_are_booked_together_in_one_go(origin: Origin, ana: Holder) -> None:
    first, second = await origin.world.slot(hours=DAY), await origin.world.slot(hours=22 * DAY)
    decision = await ana.decision()
    booked = await ana.book_all(part(first, decision), part(second, decision, follows=1), key="k")
    assert booked.status_code == 201, booked.text
    doses = booked.json()["appointments"]
    assert [(each["slot"]["id"], each["dose"], each["product"]) for each in doses] == [
        (first, 1, "140"),
        (second, 2, "140"),
    ]
    assert await origin.world.count("appointment", f"follows = '{doses[0]['id']}'") == 1
    again = await ana.book_all(part(first, decision), part(second, decision, follows=1), key="k")
    assert (again.status_code, again.json()) == (201, booked.json())
    reused = await ana.book_all(part(first, decision), key="k")
    assert (reused.status_code, reused.json()["code"]) == (422, "key_reused")
    assert await origin.world.count("outbox", "kind = 'booked'") == 2
    assert await origin.world.count("audit_event", "kind = 'booked'") == 2
    assert origin.metric("booked_total") == 2


async def test_cancelling_the_first_dose_cancels_the_second(origin: Origin, ana: Holder) -> None:
    first, second = await origin.world.slot(hours=DAY), await origin.world.slot(hours=22 * DAY)
    decision = await ana.decision()
    booked = (await ana.book_all(part(first, decision), part(second, decision, follows=1))).json()["appointments"]
    await origin.client.delete(f"/v1/appointments/{booked[0]['id']}", headers=ana.headers)
    assert await origin.world.count("appointment", "status = 'cancelled'") == 2
    assert await origin.world.count("slot", "remaining = capacity") == 2


async def test_when_the_second_is_gone_nothing_is_booked_and_others_inside_the_interval_are_offered(
    origin: Origin, ana: Holder
) -> None:
    first, second = await origin.world.slot(hours=DAY), await origin.world.slot(hours=22 * DAY)
    near, _too_late = await origin.world.slot(hours=25 * DAY, capacity=9), await origin.world.slot(hours=40 * DAY)
    bo = origin.visitor("bo")
    assert (await bo.book(second, await bo.decision())).status_code == 201
    decision = await ana.decision()
    refused = await ana.book_all(part(first, decision), part(second, decision, follows=1))
    told = refused.json()
    assert (refused.status_code, told["code"], told["part"]) == (409, "slot_gone", 2)
    assert [slot["id"] for slot in told["alternatives"]] == [near]
    assert await origin.world.count("appointment") == 1
    kept = await ana.book_all(part(first, decision), part(near, decision, follows=1))  # B7: the attempt cost nothing
    assert kept.status_code == 201, kept.text


async def test_when_the_first_is_gone_what_is_offered_keeps_the_interval_to_the_second(
    origin: Origin, ana: Holder
) -> None:
    first, second = await origin.world.slot(hours=DAY), await origin.world.slot(hours=22 * DAY)
    later, too_near = await origin.world.slot(hours=-2 + DAY), await origin.world.slot(hours=2 * DAY)
    bo = origin.visitor("bo")
    assert (await bo.book(first, await bo.decision())).status_code == 201
    decision = await ana.decision()
    told = (await ana.book_all(part(first, decision), part(second, decision, follows=1))).json()
    assert (told["code"], told["part"]) == ("slot_gone", 1)
    assert [slot["id"] for slot in told["alternatives"]] == [later]
    assert too_near not in {slot["id"] for slot in told["alternatives"]}


@pytest.mark.parametrize(("days", "status"), [(20, 409), (21, 201), (28, 201), (29, 409)])
async def test_the_interval_has_edges(origin: Origin, ana: Holder, days: int, status: int) -> None:
    first, second = await origin.world.slot(hours=DAY), await origin.world.slot(hours=(1 + days) * DAY)
    decision = await ana.decision()
    answer = await ana.book_all(part(first, decision), part(second, decision, follows=1))
    assert answer.status_code == status, answer.text
    if status == 409:
        assert (answer.json()["code"], answer.json()["part"]) == ("interval_not_kept", 2)
        assert await nothing_booked(origin)


@pytest.mark.parametrize(
    ("first_at", "second_at", "days"),
    [
        # Clocks go forward on 28 March 2027 in Madrid: 23:30 is 22:30 UTC before it, and 21:30 UTC after.
        (datetime(2027, 3, 20, 22, 30, tzinfo=UTC), datetime(2027, 4, 9, 21, 30, tzinfo=UTC), 20),
        (datetime(2027, 3, 20, 22, 30, tzinfo=UTC), datetime(2027, 4, 9, 22, 15, tzinfo=UTC), 21),  # 00:15 on the 10th
        (datetime(2027, 3, 20, 22, 30, tzinfo=UTC), datetime(2027, 4, 17, 21, 45, tzinfo=UTC), 28),
        (datetime(2027, 3, 20, 22, 30, tzinfo=UTC), datetime(2027, 4, 17, 22, 30, tzinfo=UTC), 29),
    ],
)
async def test_days_are_counted_on_the_clock_of_the_site_also_over_a_change_of_clocks(
    origin: Origin, ana: Holder, first_at: datetime, second_at: datetime, days: int
) -> None:
    """The search and the booking count alike."""
    now = origin.world.clock.now()
    first, second = [
        await origin.world.slot(hours=(each - now).total_seconds() / 3600) for each in (first_at, second_at)
    ]
    inside = 21 <= days <= 28
    found = (await origin.client.get(f"/v1/slots/{first}/next-dose", headers=ana.headers)).json()
    assert ([slot["id"] for slot in found["slots"]] == [second]) is inside
    decision = await ana.decision()
    answer = await ana.book_all(part(first, decision), part(second, decision, follows=1))
    assert answer.status_code == (201 if inside else 409), answer.text


async def test_times_for_the_second_dose_are_the_same_site_first_then_the_nearest(origin: Origin, ana: Holder) -> None:
    first = await origin.world.slot(hours=DAY)
    far = await origin.world.slot(site=2, hours=22 * DAY)
    here = await origin.world.slot(hours=24 * DAY)
    await origin.world.slot(hours=24 * DAY + 1, product="168")
    await origin.world.slot(site=2, hours=10 * DAY)
    await origin.world.connection.execute("UPDATE site SET lat = 40.5, lng = -3.7 WHERE id = 2")
    found = await origin.client.get(f"/v1/slots/{first}/next-dose", headers=ana.headers)
    assert found.status_code == 200, found.text
    assert [slot["id"] for slot in found.json()["slots"]] == [here, far]
    assert found.json()["following"] == {
        "product": "140",
        "dose": 2,
        "days_min": 21,
        "days_max": 28,
        "first_day": "2027-03-23",
        "last_day": "2027-03-30",
        "first_alone": True,
    }
    for nothing in (f"/v1/slots/{first}/next-dose?dose=2", "/v1/slots/0/next-dose", f"/v1/slots/{2**63}/next-dose"):
        answer = await origin.client.get(nothing, headers=ana.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "course_unknown")


async def test_a_first_dose_alone_is_booked_only_where_the_programme_allows_it(origin: Origin) -> None:
    await set_course(origin.world, first_alone=False)
    ana = holder(origin)
    first, second = await origin.world.slot(hours=DAY), await origin.world.slot(hours=22 * DAY)
    other = await origin.world.slot(hours=DAY + 1, product="168")
    decision = await ana.decision()
    for alone in (await ana.book(first, decision), await ana.book_all(part(first, decision))):
        assert (alone.status_code, alone.json()["code"]) == (409, "next_dose_missing")
    assert await nothing_booked(origin)
    assert (await ana.book_all(part(first, decision), part(second, decision, follows=1))).status_code == 201
    bo = origin.visitor("bo")
    assert (await bo.book(other, await bo.decision())).status_code == 201  # another product has no course


@pytest.mark.parametrize(
    "parts",
    [
        [{"follows": 1}],
        [{}, {"follows": 2}],
        [{}, {"follows": 3}],
        [{}, {"follows": 1}, {"follows": 1}],
        [{}, {"follows": 1, "member": "7b8a4f7e-1f0a-4f4e-9d1e-2f9f6b1c0a11"}],
    ],
)
async def test_parts_that_do_not_fit_each_other_are_refused(
    origin: Origin, ana: Holder, parts: list[dict[str, Any]]
) -> None:
    slot, decision = await origin.world.slot(capacity=3), await ana.decision()
    answer = await ana.book_all(*(part(slot, decision, **each) for each in parts))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_body")


async def test_a_decision_from_older_rules_is_made_again_for_both_doses(origin: Origin, ana: Holder) -> None:
    """E4, for a group: booked under the rules in force, or refused with their reasons."""
    first, second = await origin.world.slot(hours=DAY, capacity=2), await origin.world.slot(hours=22 * DAY, capacity=2)
    decision = await ana.decision()
    young = await ana.decision(origin_world.ADULT)
    await origin.world.rules()
    booked = await ana.book_all(part(first, decision), part(second, decision, follows=1))
    assert booked.status_code == 201, booked.text
    bo = holder(origin, "bo")
    refused = await bo.book_all(part(first, await bo.decision()), part(second, young, follows=1))
    assert (refused.json()["code"], refused.json()["part"]) == ("decision_unknown", 2)
    told = (await bo.book_all(part(first, await bo.decision(origin_world.ADULT)))).json()
    assert (told["code"], told["part"]) == ("ineligible", 1)
    assert told["reasons"]


async def test_operators_set_courses_and_each_change_has_its_audit_row(origin: Origin) -> None:
    client = origin.client
    assert (await client.get(COURSES, headers=operator())).json() == {"programme": "demo", "courses": []}
    answers = [await client.post(COURSES, json=COURSE, headers=operator()) for _ in range(2)]  # then it is so already
    course = {name: value for name, value in COURSE.items() if name != "reason"} | {"first_alone": True}
    assert [(each.status_code, each.json()["courses"]) for each in answers] == [(200, [course])] * 2
    assert await origin.world.count("audit_event", "kind = 'course_set' AND details->>'days_max' = '28'") == 1
    gone = {"product": "140", "dose": 1, "reason": "no longer made"}
    for _ in range(2):
        assert (await client.post(f"{COURSES}:remove", json=gone, headers=operator())).json()["courses"] == []
    assert await origin.world.count("audit_event", "kind = 'course_removed'") == 1


async def test_courses_need_their_role_and_make_sense(origin: Origin) -> None:
    client = origin.client
    for role, status in (("visitor", 403), ("rules_author", 403)):
        headers = {"Authorization": f"Bearer {bearer('x', role)}"}
        assert (await client.post(COURSES, json=COURSE, headers=headers)).status_code == status
    assert (await client.post(COURSES, json=COURSE)).status_code == 401
    turned = COURSE | {"days_min": 29}
    assert (await client.post(COURSES, json=turned, headers=operator())).json()["code"] == "invalid_body"
    nowhere = await client.post("/v1/admin/programmes/none/courses", json=COURSE, headers=operator())
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "programme_unknown")
