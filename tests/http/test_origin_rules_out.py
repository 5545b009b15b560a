"""Rules that are in force and cannot be read: nobody is decided about, decisions hold, pages say so.

Unless the programme wants the last known rules instead.
"""

from tests import origin_world
from tests.origin_browser import Browser
from tests.origin_world import ADULT, SENIOR, Origin, Visitor
from tests.rules_world import Officials, from_age


async def spoil(origin: Origin, version: int, document: str = "document || ' '") -> None:
    """Alter a version's stored document, past what keeps it from being altered, and make the origin read it afresh."""
    execute = origin.world.connection.execute
    await execute("ALTER TABLE ruleset DISABLE TRIGGER append_only")
    await execute(
        f"UPDATE ruleset SET document = {document} WHERE id = (SELECT ruleset FROM rule_version WHERE version = $1)",
        version,
    )
    await execute("ALTER TABLE ruleset ENABLE TRIGGER append_only")
    book = origin.state.decisions.rules
    for remembered in (book._in_force, book._known, book._faulty):
        remembered.clear()


async def unreadable(origin: Origin) -> int:
    """Put rules in force whose document is whole, and in a form from the future; return their version."""
    version = await Officials(origin.client).active(from_age(80))
    execute = origin.world.connection.execute
    await execute("SET session_replication_role = replica")
    await execute("INSERT INTO ruleset VALUES (encode(sha256('{\"v\": 9}'), 'hex'), '{\"v\": 9}', now())")
    await execute("UPDATE rule_version SET ruleset = encode(sha256('{\"v\": 9}'), 'hex') WHERE version = $1", version)
    await execute("SET session_replication_role = origin")
    return version


async def booked_code(ana: Visitor, slot: int, decision: str) -> tuple[int, str]:
    answer = await ana.book(slot, decision)
    return answer.status_code, answer.json().get("code", "")


async def test_nobody_is_decided_about_and_decisions_under_the_rules_in_force_hold(origin: Origin) -> None:
    slot, ana, bo = await origin.world.slot(capacity=9), origin.visitor("ana"), origin.visitor("bo")
    decision = await ana.decision()
    await spoil(origin, 1)
    refused = await bo.evaluate()
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (
        503,
        "rules_unavailable",
        "30",
    )
    assert await origin.world.count("decision") == 1
    assert origin.metric("rules_faults_total", fault="RulesAltered") == 1
    assert await booked_code(ana, slot, decision) == (201, "")


async def test_a_decision_holds_until_it_expires_and_no_longer(origin: Origin) -> None:
    slot, ana = await origin.world.slot(hours=48), origin.visitor()
    decision = await ana.decision()
    await spoil(origin, 1)
    origin.world.clock.advance(3601)
    ana.token = origin_world.admission(now=origin.world.clock.now())
    assert await booked_code(ana, slot, decision) == (403, "decision_expired")


async def test_nothing_is_booked_under_older_rules_because_the_newer_ones_cannot_be_read(origin: Origin) -> None:
    """E4 is stronger than the convenience; and the attempt costs nothing."""
    slot, ana = await origin.world.slot(), origin.visitor()
    decision = await ana.decision()
    version = await unreadable(origin)
    assert await booked_code(ana, slot, decision) == (503, "rules_unavailable")
    assert origin.metric("rules_faults_total", fault="InvalidDocument") == 1
    assert (await Officials(origin.client).rollback(version)).status_code == 200
    assert await booked_code(ana, slot, decision) == (201, "")


async def test_rules_that_can_be_read_again_are(origin: Origin) -> None:
    ana = origin.visitor()
    whole = await origin.world.connection.fetchval("SELECT document::text FROM ruleset")
    await spoil(origin, 1)
    assert (await ana.evaluate()).status_code == 503
    await spoil(origin, 1, f"'{whole}'::bytea")
    assert (await ana.evaluate()).json()["outcome"] == "eligible"


async def test_what_fails_is_not_tried_by_everybody_who_asks(origin: Origin) -> None:
    ana = origin.visitor()
    await spoil(origin, 1)
    for _ in range(5):
        assert (await ana.evaluate()).status_code == 503
    assert origin.metric("rules_faults_total", fault="RulesAltered") == 1
    origin.world.clock.advance(5)
    assert (await ana.evaluate()).status_code == 503
    assert origin.metric("rules_faults_total", fault="RulesAltered") == 2


async def test_a_table_that_cannot_be_read_is_no_fault_of_ours(origin: Origin) -> None:
    ana = origin.visitor()
    await origin.world.connection.execute("ALTER TABLE ruleset RENAME TO mislaid")
    assert (await ana.evaluate()).json()["code"] == "rules_unavailable"
    assert origin.metric("rules_faults_total", fault="UndefinedTableError") == 1


async def choose(origin: Origin, fallback: str) -> None:
    answer = await Officials(origin.client).call("operator", ":fallback", fallback=fallback)
    assert (answer.status_code, answer.json()) == (200, {"programme": "demo", "fallback": fallback})
    origin.world.clock.advance(30)


async def test_a_programme_may_let_the_last_known_rules_decide(origin: Origin) -> None:
    """They say so, are booked with, and are what a replay finds: version 1 stands for version 2."""
    slot, ana, bo = await origin.world.slot(capacity=9), origin.visitor("ana"), origin.visitor("bo")
    early = await bo.decision()
    await unreadable(origin)
    await choose(origin, "last_known")
    told = (await ana.evaluate(SENIOR)).json()
    assert (told["outcome"], told["rule_version"], told["stands_for"]) == ("eligible", 1, 2)
    assert await booked_code(ana, slot, told["decision_ref"]) == (201, "")
    assert await booked_code(bo, slot, early) == (201, "")
    rows = await origin.world.connection.fetch(
        "SELECT rule_version, stands_for, audited.details->>'stands_for'"
        " FROM appointment JOIN decision ON ref = decision JOIN audit_event audited ON about = ref"
    )
    assert [tuple(row) for row in rows] == [(1, 2, "2"), (1, 2, "2")]


async def test_the_last_known_rules_are_those_a_rollback_would_go_back_to(origin: Origin) -> None:
    """Not the wrong ones that were rolled back from, though they were in force more lately."""
    officials, ana = Officials(origin.client), origin.visitor()
    wrong = await officials.active(from_age(20))
    assert (await officials.rollback(wrong)).status_code == 200
    await choose(origin, "last_known")
    newest = await unreadable(origin)
    told = (await ana.evaluate(ADULT)).json()
    assert (told["rule_version"], told["stands_for"], told["outcome"]) == (1, newest, "not_eligible")
    assert (await officials.rollback(newest)).status_code == 200
    await spoil(origin, 1)
    assert (await ana.evaluate(ADULT)).json()["code"] == "rules_unavailable"


async def test_a_region_falls_back_to_the_rules_of_its_programme(origin: Origin) -> None:
    ana, bo = origin.visitor("ana"), origin.visitor("bo")
    version = await Officials(origin.client).active(from_age(80), "ES-MD")
    await spoil(origin, version)
    assert (await ana.evaluate(SENIOR)).json()["code"] == "rules_unavailable"
    assert (await bo.evaluate(SENIOR | {"region": "ES-CM"})).json()["rule_version"] == 1
    await choose(origin, "last_known")
    told = (await ana.evaluate(SENIOR)).json()
    assert (told["rule_version"], told["stands_for"], told["outcome"]) == (1, version, "eligible")


async def test_without_any_rules_before_nobody_is_decided_about_all_the_same(origin: Origin) -> None:
    await spoil(origin, 1)
    await choose(origin, "last_known")
    assert (await origin.visitor().evaluate()).json()["code"] == "rules_unavailable"


async def test_decisions_by_last_known_rules_end_with_the_programmes_wish(origin: Origin) -> None:
    slot, ana = await origin.world.slot(), origin.visitor()
    await unreadable(origin)
    await choose(origin, "last_known")
    decision = await ana.decision(SENIOR)
    await choose(origin, "refuse")
    assert await booked_code(ana, slot, decision) == (503, "rules_unavailable")


async def test_the_choice_is_an_officials_and_audited(origin: Origin) -> None:
    officials = Officials(origin.client)
    assert (await officials.call("rules_author", ":fallback", fallback="last_known")).status_code == 403
    assert (await officials.call("operator", ":fallback", fallback="guess")).status_code == 422
    for _ in range(2):
        await choose(origin, "last_known")
    details = "SELECT details->>'fallback' FROM audit_event WHERE kind = 'rules_fallback'"
    assert [row[0] for row in await origin.world.connection.fetch(details)] == ["last_known"]


async def test_pages_say_so_and_lead_on_whoever_has_a_decision(origin: Origin) -> None:
    await origin.world.slot(capacity=9)
    ana, bo = Browser(origin, "ana"), Browser(origin, "bo")
    await ana.answer(SENIOR)
    await spoil(origin, 1)
    origin.world.clock.advance(1)
    slots = await ana.get("/slots")
    assert slots.status_code == 200
    assert "rules cannot be read" in slots.text
    assert (await ana.get("/eligibility/result")).status_code == 200
    asked = await bo.get("/eligibility")
    assert (asked.status_code, asked.headers["retry-after"]) == (503, "30")
    assert "rules cannot be read" in asked.text
    assert "We cannot answer that at the moment" in asked.text
