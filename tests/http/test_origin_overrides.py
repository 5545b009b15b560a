"""Exceptions from the rules over HTTP: two people, until a moment, for one person, product and dose."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from origin.eligibility.facts import FactSealer
from origin.eligibility.verify import Verification, Verified
from tests.answers_world import DECISIONS, OVERRIDES, TOMORROW, Helpers, denied
from tests.origin_world import SENIOR, START, Origin, bearer
from tests.rules_world import ADMIN, Officials, from_age


async def test_an_exception_made_by_one_and_confirmed_by_another_can_be_booked_with(
    origin: Origin, helpers: Helpers
) -> None:
    slot = await origin.world.slot()
    ana, ref = await denied(origin)
    assert (await ana.book(slot, ref)).json()["code"] == "ineligible"
    made = await helpers.make(ref)
    assert (made.status_code, made.json()["state"], made.json()["decision_ref"]) == (201, "pending", None)
    override = made.json()["id"]
    confirmed = (await helpers.confirm(override)).json()
    assert (confirmed["state"], confirmed["made"]["by"], confirmed["confirmed"]["by"]) == ("live", "vera", "victor")
    booked = await ana.book(slot, confirmed["decision_ref"])
    assert (booked.status_code, booked.json()["product"]) == (201, "140")
    rows = await origin.world.connection.fetch(
        "SELECT kind, actor FROM audit_event WHERE kind LIKE 'override%' OR about::text = $1 ORDER BY kind",
        confirmed["decision_ref"],
    )
    assert [tuple(row) for row in rows] == [
        ("decided", "overrider"),
        ("override_confirmed", "overrider"),
        ("override_made", "overrider"),
    ]
    booking = await origin.world.connection.fetchval(
        "SELECT details->>'override' FROM audit_event WHERE kind = 'booked'"
    )
    assert booking == override


async def test_nobody_confirms_their_own_nor_makes_or_confirms_one_for_themselves(
    origin: Origin, helpers: Helpers
) -> None:
    _, ref = await denied(origin)
    for_oneself = await helpers.make(ref, sub="ana")
    assert (for_oneself.status_code, for_oneself.json()["code"]) == (403, "own_override")
    override = await helpers.made(ref)
    for sub in ("vera", "ana"):
        own = await helpers.confirm(override, sub=sub)
        assert (own.status_code, own.json()["code"]) == (403, "own_override")
    assert await origin.world.count("decision", "override IS NOT NULL") == 0
    assert (await helpers.confirm(override)).status_code == 200
    again = await helpers.confirm(override, sub="viola")
    assert (again.status_code, again.json()["code"]) == (409, "already_confirmed")
    assert await origin.world.count("decision", "override IS NOT NULL") == 1


async def test_an_exception_is_for_its_person_product_and_programme_only(origin: Origin, helpers: Helpers) -> None:
    slot, other = await origin.world.slot(capacity=2), await origin.world.slot(product="168", hours=30)
    ana, ref = await denied(origin)
    _, granted = await helpers.granted(ref)
    somebody = await origin.visitor("bruno").book(slot, granted)
    assert (somebody.status_code, somebody.json()["code"]) == (404, "decision_unknown")
    another = await ana.book(other, granted)
    assert (another.status_code, another.json()["code"]) == (403, "ineligible")
    assert (await ana.book(slot, granted)).status_code == 201


async def test_an_exception_holds_whatever_rules_come_and_goes_while_the_programme_is_frozen(
    origin: Origin, helpers: Helpers
) -> None:
    """E4: an exception is from all rules; a freeze is for everybody."""
    slot = await origin.world.slot()
    ana, ref = await denied(origin)
    _, granted = await helpers.granted(ref)
    officials = Officials(origin.client)
    await officials.active(from_age(90))
    await officials.call("operator", ":freeze")
    assert (await ana.book(slot, granted)).json()["code"] == "frozen"
    await officials.call("operator", ":unfreeze")
    assert (await ana.book(slot, granted)).status_code == 201


async def test_an_expired_exception_books_nothing(origin: Origin, helpers: Helpers) -> None:
    slot = await origin.world.slot(hours=72)
    ana, ref = await denied(origin)
    _, granted = await helpers.granted(ref)
    origin.world.clock.advance(timedelta(days=1).total_seconds())
    later = origin.visitor("ana")
    refused = await later.book(slot, granted)
    assert (refused.status_code, refused.json()["code"]) == (403, "override_ended")
    assert (await helpers.answer(ref))["overrides"][0]["state"] == "expired"
    assert await origin.world.count("appointment") == 0
    del ana


async def test_a_revoked_exception_books_nothing_and_what_was_booked_stays(origin: Origin, helpers: Helpers) -> None:
    slot = await origin.world.slot(capacity=2)
    ana, ref = await denied(origin)
    override, granted = await helpers.granted(ref)
    assert (await ana.book(slot, granted)).status_code == 201
    revoked = (await helpers.revoke(override, sub="olga", role="operator")).json()
    assert (revoked["state"], revoked["revoked"]["by"], revoked["revoked"]["reason"]) == (
        "revoked",
        "olga",
        "a mistake",
    )
    assert (await helpers.revoke(override)).json()["revoked"]["by"] == "olga"
    assert await origin.world.count("audit_event", "kind = 'override_revoked'") == 1
    told = await helpers.answer(ref)
    assert [each["status"] for each in told["appointments"]] == ["confirmed"]
    bruno, refused_ref = await denied(origin, "bruno")
    other, granted = await helpers.granted(refused_ref)
    await helpers.revoke(other)
    refused = await bruno.book(slot, granted)
    assert (refused.status_code, refused.json()["code"]) == (403, "override_ended")


async def test_what_was_revoked_or_has_expired_cannot_be_confirmed(origin: Origin, helpers: Helpers) -> None:
    _, ref = await denied(origin)
    revoked, expiring = await helpers.made(ref), await helpers.made(ref)
    await helpers.revoke(revoked)
    origin.world.clock.advance(timedelta(days=1).total_seconds())
    for override in (revoked, expiring):
        answer = await helpers.confirm(override)
        assert (answer.status_code, answer.json()["code"]) == (409, "override_over")
    assert await origin.world.count("decision", "override IS NOT NULL") == 0


async def test_exceptions_are_in_every_later_view(origin: Origin, helpers: Helpers) -> None:
    ana, ref = await denied(origin)
    override, granted = await helpers.granted(ref)
    origin.world.clock.advance(1)
    later = await ana.decision()
    for each in (ref, granted, later):
        told = await helpers.answer(each)
        assert [(one["id"], one["state"], one["overrules"]) for one in told["overrides"]] == [(override, "live", ref)]
    own = await helpers.answer(granted)
    assert (own["override"], own["outcome"], own["proof"]["status"]) == (override, "eligible", "by_override")
    assert own["proof"]["recorded"] == own["proof"]["stored"]
    assert [each["kind"] for each in own["audit"] if each["role"] == "overrider"] == [
        "decided",
        "override_confirmed",
        "override_made",
    ]
    listed = await helpers.get(f"{ADMIN}/overrides", role="ombudsman")
    assert [each["id"] for each in listed.json()["overrides"]] == [override]
    one = await helpers.get(f"{OVERRIDES}/{override}")
    assert one.json() == listed.json()["overrides"][0]
    found = await helpers.post(f"{DECISIONS}:find", sub="omar", role="ombudsman", person=own["person"])
    assert sorted(str(each["override"]) for each in found.json()["decisions"]) == sorted(["None", "None", override])


async def test_what_people_decided_is_not_taken_for_what_rules_decided(origin: Origin, helpers: Helpers) -> None:
    """E6: verification and replays are about rules."""
    _, ref = await denied(origin)
    await helpers.granted(ref)
    sealer: FactSealer = origin.state.decisions.sealer
    verified = Verified()
    verification = Verification(origin.world.connection, sealer)
    assert await verification.versions("demo") == {1: 1}
    await verification.run("demo", 1, verified, lambda _: None)
    assert verified.counts == {"same": 1}


async def test_a_form_that_is_sent_twice_makes_one_exception(origin: Origin, helpers: Helpers) -> None:
    _, ref = await denied(origin)
    id_ = str(uuid4())
    first, second = await helpers.make(ref, id=id_), await helpers.make(ref, id=id_)
    assert first.json() == second.json()
    other = await helpers.make(ref, id=id_, product="168")
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert await origin.world.count("override") == 1
    assert await origin.world.count("audit_event", "kind = 'override_made'") == 1


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"product": "999"}, 422, "grant_unknown"),
        ({"dose": 7}, 422, "grant_unknown"),
        ({"expires_at": START.isoformat()}, 422, "override_length"),
        ({"expires_at": (START + timedelta(days=31, seconds=1)).isoformat()}, 422, "override_length"),
        ({"expires_at": "2027-03-02T00:00:00"}, 422, "invalid_body"),
        ({"reason": ""}, 422, "invalid_body"),
        ({"reason": "\x00"}, 422, "invalid_body"),
        ({"person": "0" * 64}, 422, "invalid_body"),
    ],
)
async def test_what_makes_no_sense_makes_no_exception(
    origin: Origin, helpers: Helpers, changes: dict[str, Any], status: int, code: str
) -> None:
    _, ref = await denied(origin)
    answer = await helpers.make(ref, **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert await origin.world.count("override") == 0
    assert await origin.world.count("audit_event", "kind LIKE 'override%'") == 0


async def test_an_exception_from_an_exception_or_from_nothing_is_refused(origin: Origin, helpers: Helpers) -> None:
    _, ref = await denied(origin)
    _, granted = await helpers.granted(ref)
    answer = await helpers.make(granted)
    assert (answer.status_code, answer.json()["code"]) == (422, "by_override")
    unknown = await helpers.make(str(uuid4()))
    assert (unknown.status_code, unknown.json()["code"]) == (404, "reference_unknown")
    for path in (f"{OVERRIDES}/{uuid4()}:confirm", f"{OVERRIDES}/7:revoke"):
        none = await helpers.post(path, sub="vera", reason="x")
        assert (none.status_code, none.json()["code"]) == (404, "override_unknown")


CALLS: list[tuple[str, str, dict[str, Any] | None, set[str]]] = [
    ("GET", f"{ADMIN}/overrides", None, {"support", "ombudsman", "overrider", "operator"}),
    ("GET", f"{OVERRIDES}/7", None, {"support", "ombudsman", "overrider", "operator"}),
    ("POST", f"{OVERRIDES}/7:confirm", {"reason": "x"}, {"overrider"}),
    ("POST", f"{OVERRIDES}/7:revoke", {"reason": "x"}, {"overrider", "operator"}),
]


@pytest.mark.parametrize(("method", "path", "body", "roles"), CALLS, ids=[row[1] for row in CALLS])
async def test_every_call_needs_its_role(
    origin: Origin, method: str, path: str, body: dict[str, Any] | None, roles: set[str]
) -> None:
    """U5, for exceptions."""
    for role in (None, "visitor", "rules_author", "rules_reviewer", "operator", "support", "ombudsman", "overrider"):
        headers = {} if role is None else {"Authorization": f"Bearer {bearer('someone', role)}"}
        answer = await origin.client.request(method, path, json=body, headers=headers)
        assert (answer.status_code == 401) == (role is None)
        assert (answer.status_code == 403) == (role is not None and role not in roles), (role, answer.text)


async def test_reasons_and_names_stay_out_of_the_audit(origin: Origin, helpers: Helpers) -> None:
    """U3."""
    _, ref = await denied(origin)
    override, _ = await helpers.granted(ref, expires_at=TOMORROW)
    await helpers.revoke(override)
    told = str(await origin.world.connection.fetch("SELECT actor, details::text FROM audit_event"))
    for planted in ("vera", "victor", "her doctor", "seen the letter", "a mistake"):
        assert planted not in told
    assert SENIOR["birth_date"] not in told
