"""Booking over HTTP: one answer per key, nothing spent by a failure, the rules in force now, one's own only."""

import asyncio
import gc
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from origin.eligibility.evaluator import EVALUATOR
from shared.problem import Problem
from tests import origin_world
from tests.origin_world import ADULT, SENIOR, Origin

SENIORS_FROM_80: dict[str, Any] = {"is": "age", "op": ">=", "value": 80, "reason": "AGE_65_OR_OLDER"}


def only(when: Any) -> list[Any]:
    return [{"id": "only", "when": when, "grants": {"products": ["140"], "dose": 1}}]


async def test_the_same_key_and_body_get_the_same_answer(origin: Origin) -> None:
    """B4, for a confirmation: even after the appointment was cancelled."""
    slot, ana = await origin.world.slot(capacity=2), origin.visitor()
    decision = await ana.decision()
    first = await ana.book(slot, decision, key="k1")
    assert first.status_code == 201, first.text
    again = await ana.book(slot, decision, key="k1")
    assert (again.status_code, again.json(), again.headers["location"]) == (
        201,
        first.json(),
        first.headers["location"],
    )
    await origin.client.delete(first.headers["location"], headers=ana.headers)
    origin.world.clock.advance(900)  # not yet swept, whatever happened since
    assert (await ana.book(slot, decision, key="k1")).json() == first.json()
    assert await origin.world.count("appointment") == 1
    assert origin.metric("booked_total") == 1


async def test_a_refusal_is_also_the_answer_to_its_key(origin: Origin) -> None:
    """B4, for a refusal: alternatives included, whatever has become free since."""
    gone, near = await origin.world.slot(), await origin.world.slot(hours=25, capacity=5)
    bo, ana = origin.visitor("bo"), origin.visitor("ana")
    holder = await bo.book(gone, await bo.decision())
    decision = await ana.decision()
    refused = await ana.book(gone, decision, key="k1")
    assert (refused.status_code, refused.json()["code"]) == (409, "slot_gone")
    assert [slot["id"] for slot in refused.json()["alternatives"]] == [near]
    await origin.client.delete(holder.headers["location"], headers=bo.headers)
    assert (await ana.book(gone, decision, key="k1")).json() == refused.json()
    assert (await ana.book(gone, decision, key="k2")).status_code == 201


async def test_a_herd_at_a_slot_that_is_gone_gets_one_answer_and_each_keeps_it(origin: Origin) -> None:
    """B4, B6: the second is refused by the short way; their key keeps the answer, and the place is free at once."""
    gone, near = await origin.world.slot(), await origin.world.slot(hours=25, capacity=5)
    bo, ana, cy, di = (origin.visitor(name) for name in ("bo", "ana", "cy", "di"))
    holder = await bo.book(gone, await bo.decision())
    first = await ana.book(gone, await ana.decision())
    decision = await cy.decision()
    second = await cy.book(gone, decision, key="k1")
    kept = await origin.world.connection.fetchval("SELECT body FROM idempotency WHERE key = 'k1'")
    assert kept.startswith('{"kept":"shared"')
    assert (second.status_code, second.json()) == (first.status_code, first.json())
    assert [slot["id"] for slot in second.json()["alternatives"]] == [near]

    assert (await bo.cancel(holder)).status_code == 204
    assert (await di.book(gone, await di.decision())).status_code == 201
    assert (await bo.book(gone, await bo.decision())).json()["code"] == "admission_used"
    origin.world.clock.advance(23 * 3600)
    await origin.world.connection.execute("UPDATE slot SET remaining = 0 WHERE id = $1", near)
    assert (await cy.book(gone, decision, key="k1")).status_code == 403  # the admission has expired
    again = origin.visitor("cy")
    assert (await again.book(gone, decision, key="k1")).json() == second.json()
    assert origin.metric("book_refused_total", code="slot_gone") == 3


async def test_who_is_refused_leaves_nothing_for_the_collector(origin: Origin) -> None:
    """An error that is kept where it was raised holds that place, which holds it: a herd of those is work for long."""
    gone, bo, ana = await origin.world.slot(), origin.visitor("bo"), origin.visitor("ana")
    await bo.book(gone, await bo.decision())
    decision = await ana.decision()
    assert (await ana.book(gone, decision)).status_code == 409
    gc.collect()
    gc.disable()
    try:
        refused = [await ana.book(gone, decision) for _ in range(5)]
        left = [each for each in gc.get_objects() if isinstance(each, Problem)]
    finally:
        gc.enable()
    assert {each.json()["code"] for each in refused} == {"slot_gone"}
    assert left == []


async def test_what_is_told_of_a_slot_that_is_gone_is_asked_anew_after_half_a_second(origin: Origin) -> None:
    gone, near = await origin.world.slot(), await origin.world.slot(hours=25)
    bo, ana = origin.visitor("bo"), origin.visitor("ana")
    await bo.book(gone, await bo.decision())
    decision = await ana.decision()
    told = []
    for advance in (0, 0.2, 0.4):
        origin.world.clock.advance(advance)
        told.append([each["id"] for each in (await ana.book(gone, decision)).json()["alternatives"]])
        await origin.world.connection.execute("UPDATE slot SET remaining = 0 WHERE id = $1", near)
    assert told == [[near], [near], []]


async def test_what_is_told_of_a_slot_that_is_gone_is_renewed_while_somebody_asks(origin: Origin) -> None:
    """A herd goes on being refused by the short way, and is told nothing that is older than half a second."""
    gone, near = await origin.world.slot(), await origin.world.slot(hours=25)
    bo, ana = origin.visitor("bo"), origin.visitor("ana")
    await bo.book(gone, await bo.decision())
    decision = await ana.decision()
    told = []
    for number, advance in enumerate((0, 0.3, 0.3, 0.3)):
        origin.world.clock.advance(advance)
        refused = await ana.book(gone, decision, key=f"k{number}")
        told.append([each["id"] for each in refused.json()["alternatives"]])
        if number == 0:
            await origin.world.connection.execute("UPDATE slot SET remaining = 0 WHERE id = $1", near)
        asking = [task for task in asyncio.all_tasks() if "Nearest._ask" in repr(task.get_coro())]
        if asking:
            await asyncio.wait(asking)
    kept = await origin.world.connection.fetch("SELECT key, body FROM idempotency WHERE key LIKE 'k%' ORDER BY key")
    assert [row["body"].startswith('{"kept":"shared"') for row in kept] == [False, True, True, True]
    assert (told[0], told[2:]) == ([near], [[], []]), "what was found anew meanwhile may be told sooner"


async def test_a_key_bound_to_one_request_is_refused_for_another(origin: Origin) -> None:
    slot, other = await origin.world.slot(), await origin.world.slot(hours=30)
    ana = origin.visitor()
    decision = await ana.decision()
    assert (await ana.book(slot, decision, key="k1")).status_code == 201
    reused = await ana.book(other, decision, key="k1")
    assert (reused.status_code, reused.json()["code"]) == (422, "key_reused")
    # Keys belong to a person: somebody else's may be spelled the same.
    bo = origin.visitor("bo")
    assert (await bo.book(other, await bo.decision(), key="k1")).status_code == 201


async def test_a_key_may_be_quoted_or_bare_and_is_the_same(origin: Origin) -> None:
    slot, ana = await origin.world.slot(), origin.visitor()
    body = {"slot_id": slot, "decision_ref": await ana.decision()}
    answers = [
        await origin.client.post("/v1/appointments", json=body, headers=ana.headers | {"Idempotency-Key": key})
        for key in ('"k-1"', "k-1")
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


async def test_a_failed_attempt_costs_nothing(origin: Origin) -> None:
    """B7: sold out, ineligible, wrong product, unknown slot; then the same admission books."""
    gone, wrong, good = (
        await origin.world.slot(),
        await origin.world.slot(product="999"),
        await origin.world.slot(site=2),
    )
    bo, ana = origin.visitor("bo"), origin.visitor("ana")
    assert (await bo.book(gone, await bo.decision())).status_code == 201
    decision, refused = await ana.decision(), await ana.decision(ADULT)
    before = await origin.world.count("slot", "remaining < capacity")
    codes = [
        (await ana.book(slot, ref)).json()["code"]
        for slot, ref in [(gone, decision), (good, refused), (wrong, decision), (10**9, decision), (good, str(uuid4()))]
    ]
    assert codes == ["slot_gone", "ineligible", "ineligible", "slot_unknown", "decision_unknown"]
    assert await origin.world.count("slot", "remaining < capacity") == before
    assert (await ana.book(good, decision)).status_code == 201


async def test_an_admission_books_once_and_then_never_again(origin: Origin) -> None:
    """B7, the other half: also not after a cancellation, and the refusal is counted."""
    slot, other = await origin.world.slot(capacity=2), await origin.world.slot(site=2)
    ana = origin.visitor()
    decision = await ana.decision()
    booked = await ana.book(slot, decision)
    assert booked.status_code == 201
    await origin.client.delete(booked.headers["location"], headers=ana.headers)
    used = await ana.book(other, decision)
    assert (used.status_code, used.json()["code"]) == (409, "admission_used")
    assert origin.metric("admission_refused_total", reason="already_used") == 1
    ana.token = origin_world.admission(now=origin.world.clock.now())
    assert (await ana.book(other, decision)).status_code == 201


async def test_a_person_has_one_active_appointment_per_dose(origin: Origin) -> None:
    """B2, one after the other; the answer names the appointment there is."""
    slot, other = await origin.world.slot(), await origin.world.slot(site=2)
    first, second = origin.visitor("ana"), origin.visitor("ana")
    booked = await first.book(slot, await first.decision())
    again = await second.book(other, await second.decision())
    assert (again.status_code, again.json()["code"]) == (409, "already_booked")
    assert again.json()["appointment"] == booked.json()["id"]


async def test_a_decision_from_older_rules_is_made_again_when_booking(origin: Origin) -> None:
    """E4: 403 with reason codes under the rules in force now, where it no longer holds; else booked under those."""
    slot = await origin.world.slot(capacity=2)
    old, young = origin.visitor("old"), origin.visitor("young")
    for_old = await old.decision(SENIOR | {"birth_date": "1940-01-01"})
    for_young = await young.decision(SENIOR | {"birth_date": "1960-01-01"})
    version = await origin.world.rules(offers=only(SENIORS_FROM_80))
    assert version == 2

    refused = await young.book(slot, for_young)
    assert (refused.status_code, refused.json()["code"]) == (403, "ineligible")
    assert refused.json()["reasons"] == [{"code": "AGE_65_OR_OLDER", "text": "You are younger than 65."}]
    assert refused.json()["rule_version"] == 2

    booked = await old.book(slot, for_old)
    assert booked.status_code == 201, booked.text
    row = await origin.world.connection.fetchrow(
        "SELECT d.rule_version, d.ref FROM appointment a JOIN decision d ON d.ref = a.decision"
    )
    assert row is not None
    assert (row["rule_version"], str(row["ref"]) != for_old) == (2, True)


async def test_an_expired_decision_is_refused_even_for_the_eligible(origin: Origin) -> None:
    slot, ana = await origin.world.slot(hours=48), origin.visitor()
    decision = await ana.decision()
    origin.world.clock.advance(3601)
    ana.token = origin_world.admission(now=origin.world.clock.now())
    refused = await ana.book(slot, decision)
    assert (refused.status_code, refused.json()["code"]) == (403, "decision_expired")


async def test_a_slot_that_has_begun_cannot_be_booked_nor_cancelled(origin: Origin) -> None:
    slot, ana, bo = await origin.world.slot(capacity=2, hours=0.2), origin.visitor("ana"), origin.visitor("bo")
    for_ana, for_bo = await ana.decision(), await bo.decision()
    booked = await ana.book(slot, for_ana)
    assert booked.status_code == 201
    origin.world.clock.advance(800)
    late = await bo.book(slot, for_bo)
    assert (late.status_code, late.json()["code"]) == (409, "slot_past")
    cancelled = await origin.client.delete(booked.headers["location"], headers=ana.headers)
    assert (cancelled.status_code, cancelled.json()["code"]) == (409, "too_late")


async def test_a_frozen_programme_books_nothing_and_keeps_no_answer(origin: Origin) -> None:
    slot, ana = await origin.world.slot(), origin.visitor()
    decision = await ana.decision()
    await origin.world.connection.execute("UPDATE programme SET frozen_since = now(), frozen_reason = 'recall'")
    frozen = await ana.book(slot, decision, key="k1")
    assert (frozen.status_code, frozen.json()["code"]) == (423, "frozen")
    await origin.world.connection.execute("UPDATE programme SET frozen_since = NULL, frozen_reason = NULL")
    assert (await ana.book(slot, decision, key="k1")).status_code == 201


async def test_other_peoples_appointments_and_decisions_do_not_exist(origin: Origin) -> None:
    slot, ana, eve = await origin.world.slot(capacity=2), origin.visitor("ana"), origin.visitor("eve")
    decision = await ana.decision()
    booked = await ana.book(slot, decision)
    unknown = f"/v1/appointments/{uuid4()}"
    for method in ("GET", "DELETE"):
        theirs = await origin.client.request(method, booked.headers["location"], headers=eve.headers)
        nobodys = await origin.client.request(method, unknown, headers=eve.headers)
        assert (theirs.status_code, theirs.json()) == (nobodys.status_code, nobodys.json())
        assert (theirs.status_code, theirs.json()["code"]) == (404, "appointment_unknown")
    borrowed = await eve.book(slot, decision)
    assert (borrowed.status_code, borrowed.json()["code"]) == (404, "decision_unknown")
    assert (await origin.client.get(booked.headers["location"], headers=ana.headers)).json()["status"] == "confirmed"


async def test_cancelled_capacity_can_be_booked_at_once_and_cancelling_again_changes_nothing(origin: Origin) -> None:
    """B6, one after the other, with what is written beside it."""
    slot, ana, bo = await origin.world.slot(), origin.visitor("ana"), origin.visitor("bo")
    booked = await ana.book(slot, await ana.decision())
    for_bo = await bo.decision()
    assert (await bo.book(slot, for_bo)).json()["code"] == "slot_gone"
    for _ in range(2):
        assert (await origin.client.delete(booked.headers["location"], headers=ana.headers)).status_code == 204
    assert (await bo.book(slot, for_bo)).status_code == 201
    assert await origin.world.count("audit_event", "kind = 'cancelled'") == 1
    rows = await origin.world.connection.fetch("SELECT kind, appointment_version FROM outbox ORDER BY id")
    assert [tuple(row) for row in rows] == [("booked", 1), ("cancelled", 2), ("booked", 1)]


async def test_every_decision_and_booking_has_its_audit_row_and_is_explained(origin: Origin) -> None:
    """E1, and U1 as rows: ruleset, version, evaluator, date, hashed inputs, and one outcome per branch."""
    slot, ana = await origin.world.slot(), origin.visitor()
    decision = await ana.decision()
    booked = await ana.book(slot, decision)
    row = await origin.world.connection.fetchrow("SELECT * FROM decision")
    assert row is not None
    assert (str(row["ref"]), row["rule_version"], row["evaluator"], row["outcome"]) == (
        decision,
        1,
        EVALUATOR,
        "eligible",
    )
    assert row["ruleset"] == await origin.world.connection.fetchval("SELECT id FROM ruleset")
    assert str(row["as_of"]) == "2027-03-01"
    assert len(row["inputs_hash"]) == 32
    branches = msgspec.json.decode(row["branches"])
    assert len(branches) == 25
    assert ["offers.seniors", "AGE_65_OR_OLDER", True] in branches
    audited = await origin.world.connection.fetch("SELECT kind, about, person FROM audit_event ORDER BY kind")
    assert [(each["kind"], str(each["about"])) for each in audited] == [
        ("booked", booked.json()["id"]),
        ("decided", decision),
    ]
    assert {each["person"] for each in audited} == {row["person"]}


async def test_a_decision_is_never_stored_under_rules_that_have_just_changed(origin: Origin) -> None:
    """E4 for evaluation: the origin's memory of the rules is old; what is stored is under the new ones."""
    ana = origin.visitor()
    assert (await ana.evaluate()).json()["rule_version"] == 1
    await origin.world.rules(offers=only(SENIORS_FROM_80))
    decided = (await ana.evaluate()).json()
    assert (decided["rule_version"], decided["outcome"]) == (2, "not_eligible")
    assert await origin.world.count("decision", "rule_version = 2") == 1


async def test_no_personal_data_reaches_logs_metrics_urls_or_audit(
    origin: Origin, capfd: pytest.CaptureFixture[str]
) -> None:
    """U3: values planted in every place that takes some are found nowhere but sealed."""
    planted = ["planted-sub-4711", "1951-07-23", "planted-job-4712", "planted-condition-4713"]
    ana = origin.visitor(planted[0])
    facts = SENIOR | {"birth_date": planted[1], "job_code": planted[2], "conditions": [planted[3]]}
    slot = await origin.world.slot()
    booked = await ana.book(slot, await ana.decision(facts))
    assert booked.status_code == 201, booked.text
    await ana.evaluate({"birth_date": planted[3]})
    await ana.evaluate({"birth_date": "1851-07-23"})
    await origin.world.connection.execute("ALTER TABLE decision RENAME TO mislaid")
    assert (await ana.evaluate(facts)).status_code == 500
    await origin.world.connection.execute("ALTER TABLE mislaid RENAME TO decision")
    metrics = (await origin.client.get("/metrics")).text
    tables = ["decision", "audit_event", "outbox", "appointment", "idempotency"]
    rows = [str(await origin.world.connection.fetch(f"SELECT t::text FROM {table} t")) for table in tables]
    logs = "".join(capfd.readouterr())
    assert "unexpected_fault" in logs
    for text in (metrics, logs, booked.headers["location"], *rows):
        assert [value for value in planted if value in text] == []
        hidden = [value.encode().hex() for value in planted]
        assert [value for value in hidden if value in text] == []


async def test_one_locked_slot_holds_up_neither_the_others_nor_those_who_want_it_too(origin: Origin) -> None:
    """Many want a slot that stays locked, one wants another: that one is served, the rest are told to come back."""
    stuck, free = await origin.world.slot(capacity=9), await origin.world.slot(hours=30)
    visitors = [origin.visitor(f"person-{number}") for number in range(6)]
    decisions = [await each.decision() for each in visitors]
    async with origin.world.connection.transaction():
        await origin.world.connection.execute("SELECT * FROM slot WHERE id = $1 FOR UPDATE", stuck)
        wanted = [stuck] * 5 + [free]
        async with asyncio.timeout(8):
            answers = await asyncio.gather(
                *(each.book(slot, ref) for each, slot, ref in zip(visitors, wanted, decisions, strict=True))
            )
    assert [answer.status_code for answer in answers] == [503] * 5 + [201]
