"""Publishing over HTTP: two people, one pointer for each region, at once or at a moment, and back again."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from origin.eligibility import versions
from origin.eligibility.document import canonical, parse
from origin.eligibility.evaluator import Evaluator
from origin.eligibility.formats.v2 import MAX_BYTES
from origin.eligibility.person import Facts
from tests.origin_world import SENIOR, Origin, bearer
from tests.rules_world import ADMIN, Officials, from_age

SENIOR_IN_TOLEDO = SENIOR | {"region": "ES-CM"}
NOBODY = "SELECT count(*) FROM audit_event WHERE kind LIKE 'rules_%' OR kind IN ('frozen', 'unfrozen')"


async def decided(origin: Origin, facts: dict[str, Any] = SENIOR) -> tuple[int, str]:
    """Under which version somebody is decided now, and how."""
    told = (await origin.visitor().evaluate(facts)).json()
    return told["rule_version"], told["outcome"]


async def test_a_version_goes_from_draft_to_retired_and_each_step_has_its_audit_row(
    origin: Origin, officials: Officials
) -> None:
    """E5, over the whole life of a version."""
    version = await officials.draft(from_age(80))
    states = [(await officials.states())[version]]
    for role, step, body in [
        ("rules_reviewer", "review", {"verdict": "approved"}),
        ("rules_author", "shadow", {}),
        ("rules_reviewer", "activate", {}),
    ]:
        answer = await officials.call(role, f"/rules/{version}:{step}", **body)
        assert answer.status_code == 200, answer.text
        states.append(answer.json()["state"])
    assert await decided(origin) == (2, "not_eligible")
    assert (await officials.rollback(version)).status_code == 200
    assert await decided(origin) == (1, "eligible")
    states.append((await officials.states())[version])
    assert states == ["draft", "approved", "shadow", "active", "retired"]
    rows = await origin.world.connection.fetch(
        "SELECT kind, actor, details->>'version' AS version FROM audit_event WHERE kind LIKE 'rules%' ORDER BY at, kind"
    )
    assert sorted((row["kind"], row["actor"], row["version"]) for row in rows) == [
        ("rules_activated", "rules_reviewer", "2"),
        ("rules_drafted", "rules_author", "2"),
        ("rules_reviewed", "rules_reviewer", "2"),
        ("rules_rolled_back", "operator", "2"),
        ("rules_shadowed", "rules_author", "2"),
        ("rules_unshadowed", "rules_reviewer", "2"),
    ]
    moves = (await officials.get("/rules-history"))["moves"]
    told = [(move["act"], move["version"], move["actor"]) for move in moves if move["act"] != "shadowed"]
    assert told == [
        ("activated", 1, "set-up: reviewer"),
        ("activated", 2, "rules_reviewer"),
        ("unshadowed", None, "rules_reviewer"),
        ("rolled_back", 1, "operator"),
    ]


async def test_nobody_reviews_what_they_wrote_nor_activates_what_nobody_reviewed(officials: Officials) -> None:
    """E5."""
    drafted = await officials.call("rules_author", "/rules", sub="olga", document=from_age(80))
    assert (drafted.status_code, drafted.json()["author"], drafted.json()["state"]) == (201, "olga", "draft")
    own = await officials.call("rules_reviewer", "/rules/2:review", sub="olga", verdict="approved")
    assert (own.status_code, own.json()["code"]) == (403, "same_person")
    for step in ("activate", "shadow"):
        early = await officials.call("rules_reviewer", f"/rules/2:{step}")
        assert (early.status_code, early.json()["code"]) == (409, "not_approved")
    rejected = await officials.call("rules_reviewer", "/rules/2:review", verdict="rejected")
    assert (rejected.json()["state"], rejected.json()["review"]["reviewer"]) == ("rejected", "rules_reviewer")
    again = await officials.call("rules_reviewer", "/rules/2:review", sub="rosa", verdict="approved")
    assert (again.status_code, again.json()["code"]) == (409, "already_reviewed")
    still = await officials.call("rules_reviewer", "/rules/2:activate")
    assert (still.status_code, still.json()["code"]) == (409, "not_approved")
    assert await officials.in_force() == {None: 1}


async def test_a_regions_rules_win_there_and_only_there_until_they_are_retired(
    origin: Origin, officials: Officials
) -> None:
    version = await officials.active(from_age(80), "ES-MD")
    assert await officials.in_force() == {None: 1, "ES-MD": version}
    assert await decided(origin) == (2, "not_eligible")
    assert await decided(origin, SENIOR_IN_TOLEDO) == (1, "eligible")
    assert await decided(origin, SENIOR | {"region": "nowhere"}) == (1, "not_eligible")
    assert await officials.active(from_age(90)) == 3
    assert await decided(origin) == (2, "not_eligible")
    assert await decided(origin, SENIOR_IN_TOLEDO) == (3, "not_eligible")
    retired = await officials.call("rules_reviewer", "/rules/2:retire")
    assert (retired.status_code, retired.json()["state"]) == (200, "retired")
    assert await decided(origin) == (3, "not_eligible")
    twice = await officials.call("rules_reviewer", "/rules/2:retire")
    assert (twice.status_code, twice.json()["code"], twice.json()["in_force"]) == (409, "rules_moved", None)
    programme = await officials.call("rules_reviewer", "/rules/3:retire")
    assert (programme.status_code, programme.json()["code"]) == (409, "rules_moved")
    back = await officials.call("operator", "/rules:rollback", version=3)
    assert back.status_code == 200
    assert await decided(origin) == (1, "eligible")


async def test_a_booking_is_checked_against_the_rules_of_its_persons_region(
    origin: Origin, officials: Officials
) -> None:
    """E4 by region: no new decision where the region's version is the same; else 403 under the region's rules."""
    slot = await origin.world.slot(capacity=3)
    here, there = origin.visitor("here"), origin.visitor("there")
    for_here, for_there = await here.decision(), await there.decision(SENIOR_IN_TOLEDO)
    await officials.active(from_age(80), "ES-MD")
    decisions = await origin.world.count("decision")
    assert (await there.book(slot, for_there)).status_code == 201
    assert await origin.world.count("decision") == decisions
    refused = await here.book(slot, for_here)
    assert (refused.status_code, refused.json()["code"], refused.json()["rule_version"]) == (403, "ineligible", 2)
    await officials.active(from_age(60), "ES-MD")
    under = await here.decision()
    decisions = await origin.world.count("decision")
    assert (await here.book(slot, under)).status_code == 201
    assert await origin.world.count("decision") == decisions


async def test_a_rollback_goes_one_step_back_however_often_it_is_sent(origin: Origin, officials: Officials) -> None:
    for age in (70, 75, 80):
        await officials.active(from_age(age))
    assert await officials.in_force() == {None: 4}
    assert (await officials.rollback(4)).json()["in_force"] == [{"region": None, "version": 3}]
    again = await officials.rollback(4)
    assert (again.status_code, again.json()["code"], again.json()["in_force"]) == (409, "rules_moved", 3)
    assert (await officials.rollback(3)).json()["in_force"] == [{"region": None, "version": 2}]
    chosen = await officials.call("operator", "/rules:rollback", version=2, to=4)
    assert chosen.json()["in_force"] == [{"region": None, "version": 4}]
    assert (await officials.rollback(4)).json()["in_force"] == [{"region": None, "version": 2}]
    assert (await officials.rollback(2)).json()["in_force"] == [{"region": None, "version": 1}]
    end = await officials.rollback(1)
    assert (end.status_code, end.json()["code"]) == (409, "nothing_before")
    never = await officials.call("operator", "/rules:rollback", version=1, to=await officials.approved(from_age(9)))
    assert (never.status_code, never.json()["code"]) == (409, "nothing_before")
    regional = await officials.active(from_age(80), "ES-MD")
    assert (await officials.rollback(regional, "ES-MD")).json()["in_force"][1] == {"region": "ES-MD", "version": None}
    assert await decided(origin) == (1, "eligible")


async def now(origin: Origin) -> datetime:
    moment: datetime = await origin.world.connection.fetchval("SELECT clock_timestamp()")
    return moment


async def test_an_activation_comes_true_at_its_moment_by_the_databases_clock_without_any_worker(
    origin: Origin, officials: Officials
) -> None:
    version = await officials.approved(from_age(80))
    at = await now(origin) + timedelta(seconds=1)
    await officials.activate(version, at.isoformat())
    assert await officials.states() == {1: "active", 2: "scheduled"}
    seen = set()
    async with asyncio.timeout(10):
        while True:
            before = await now(origin)
            under, _ = await decided(origin)
            if before >= at:
                break
            if await now(origin) < at:
                seen.add(under)
    assert seen == {1}
    assert under == 2
    assert await officials.states() == {1: "retired", 2: "active"}


async def test_what_is_moved_voids_what_was_planned_for_later(origin: Origin, officials: Officials) -> None:
    planned, other = await officials.approved(from_age(80)), await officials.approved(from_age(70))
    at = (await now(origin) + timedelta(seconds=0.4)).isoformat()
    await officials.activate(planned, at)
    await officials.activate(planned, at)  # sent twice
    assert len((await officials.get("/rules-history"))["moves"]) == 2
    await officials.activate(other)
    assert await officials.states() == {1: "retired", 2: "approved", 3: "active"}
    async with asyncio.timeout(5):
        while True:
            if (await now(origin)).isoformat() > at:
                break
            await asyncio.sleep(0.02)
    assert (await decided(origin))[0] == other
    past = await officials.call("rules_reviewer", f"/rules/{planned}:activate", at=at)
    assert (past.status_code, past.json()["code"]) == (422, "activation_past")


async def test_one_version_is_read_with_its_canonical_document(officials: Officials) -> None:
    document = from_age(80)
    version = await officials.draft(document, "ES-CN")
    told = await officials.get(f"/rules/{version}")
    assert canonical(parse(msgspec.json.encode(told["document"]))) == canonical(parse(msgspec.json.encode(document)))
    assert (told["region"], told["state"], len(told["ruleset"])) == ("ES-CN", "draft", 64)


CALLS: list[tuple[str, str, dict[str, Any] | None, set[str]]] = [
    ("GET", "/rules", None, {"rules_author", "rules_reviewer", "operator"}),
    ("GET", "/rules/1", None, {"rules_author", "rules_reviewer", "operator"}),
    ("GET", "/rules/1/shadow", None, {"rules_author", "rules_reviewer", "operator"}),
    ("GET", "/rules-history", None, {"rules_author", "rules_reviewer", "operator"}),
    ("GET", "/freezes", None, {"rules_author", "rules_reviewer", "operator"}),
    ("POST", "/rules", {"document": {}}, {"rules_author"}),
    ("POST", "/rules/1:review", {"verdict": "approved"}, {"rules_reviewer"}),
    ("POST", "/rules/1:shadow", {}, {"rules_author", "rules_reviewer"}),
    ("POST", "/rules/1:unshadow", {}, {"rules_author", "rules_reviewer", "operator"}),
    ("POST", "/rules/1:activate", {}, {"rules_reviewer"}),
    ("POST", "/rules/1:retire", {}, {"rules_reviewer", "operator"}),
    ("POST", "/rules:rollback", {"version": 1}, {"operator"}),
    (":", ":freeze", {}, {"operator"}),
    (":", ":unfreeze", {}, {"operator"}),
]


@pytest.mark.parametrize(("method", "path", "body", "roles"), CALLS, ids=[row[1] for row in CALLS])
async def test_every_call_needs_its_role(
    origin: Origin, method: str, path: str, body: dict[str, Any] | None, roles: set[str]
) -> None:
    """U5, for the admin calls; a role that may is answered by the rules, not by the door."""
    method = "POST" if method == ":" else method
    for role in (None, "visitor", "rules_author", "rules_reviewer", "operator"):
        headers = {} if role is None else {"Authorization": f"Bearer {bearer('someone', role)}"}
        sent = None if body is None else {"reason": "a test"} | body
        answer = await origin.client.request(method, ADMIN + path, json=sent, headers=headers)
        assert (answer.status_code == 401) == (role is None)
        assert (answer.status_code == 403) == (role is not None and role not in roles), (role, answer.text)


async def test_the_session_of_a_browser_opens_nothing_here(origin: Origin) -> None:
    cookie = origin.state.people.start_session("i", "olga", frozenset({"operator"}), 4_000_000_000)
    headers = {"Cookie": f"vestibule_session={cookie}"}
    answer = await origin.client.post(f"{ADMIN}:freeze", json={"reason": "x"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("role", "path", "body", "status", "code"),
    [
        ("rules_author", "/rules", {"document": {"v": 9}}, 422, "invalid_rules"),
        ("rules_author", "/rules", {"document": 5}, 422, "invalid_rules"),
        ("rules_author", "/rules", {}, 422, "invalid_body"),
        ("rules_author", "/rules", {"document": {}, "reason": ""}, 422, "invalid_body"),
        ("rules_author", "/rules", {"document": {}, "reason": "\x00"}, 422, "invalid_body"),
        ("rules_author", "/rules", {"document": {"x": "x" * 450_000}}, 413, "body_too_large"),
        ("rules_author", "/rules", {"document": from_age(5), "region": "XX"}, 404, "region_unknown"),
        ("rules_reviewer", "/rules/7:review", {"verdict": "approved"}, 404, "version_unknown"),
        ("rules_reviewer", "/rules/x:review", {"verdict": "approved"}, 404, "version_unknown"),
        ("rules_reviewer", "/rules/9999999999:activate", {}, 404, "version_unknown"),
        ("rules_reviewer", "/rules/1:activate", {"at": "2030-01-01T00:00:00"}, 422, "invalid_body"),
        ("operator", ":freeze", {"region": "XX"}, 404, "region_unknown"),
        ("operator", ":freeze", {"reason": "x" * 201}, 422, "invalid_body"),
    ],
)
async def test_what_makes_no_sense_changes_nothing(
    origin: Origin, officials: Officials, role: str, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = await officials.call(role, path, **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert await origin.world.count("rule_version") == 1
    assert await origin.world.connection.fetchval(NOBODY) == 0


async def test_an_unknown_programme_is_not_found(origin: Origin) -> None:
    headers = {"Authorization": f"Bearer {bearer('o', 'operator', 'rules_author', 'rules_reviewer')}"}
    for method, path, body, _ in CALLS:
        for name in ("nowhere", "%00", "d%C3%A9mo"):
            sent = None if body is None else {"reason": "a test"} | body
            if path == "/rules":
                sent = None if body is None else {"reason": "a test", "document": from_age(5)}
            verb = "POST" if method == ":" else method
            answer = await origin.client.request(verb, f"/v1/admin/programmes/{name}{path}", json=sent, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (404, "programme_unknown"), (path, answer.text)


async def test_a_freeze_stops_the_programme_or_a_region_and_is_told(origin: Origin, officials: Officials) -> None:
    """B8, one after the other: at the region's sites and for its people; then everywhere; each is ended by itself."""
    madrid, toledo = await origin.world.slot(capacity=9), await origin.world.slot(site=2, capacity=9)
    visitors = {name: origin.visitor(name) for name in ("local", "guest", "other")}
    facts = {"local": SENIOR, "guest": SENIOR, "other": SENIOR_IN_TOLEDO}
    refs = {name: await each.decision(facts[name]) for name, each in visitors.items()}

    async def books(name: str, slot: int) -> int:
        return (await visitors[name].book(slot, refs[name])).status_code

    frozen = await officials.call("operator", ":freeze", region="ES-MD", reason="wrong rules")
    assert [(each["region"], each["reason"]) for each in frozen.json()["frozen"]] == [("ES-MD", "wrong rules")]
    assert await books("local", madrid) == 423
    assert await books("other", madrid) == 423
    assert await books("guest", toledo) == 423
    assert await books("other", toledo) == 201
    both = await officials.call("operator", ":freeze", reason="recall")
    assert [each["region"] for each in both.json()["frozen"]] == [None, "ES-MD"]
    await officials.call("operator", ":unfreeze", region="ES-MD")
    assert await books("local", madrid) == 423
    assert (await officials.call("operator", ":unfreeze")).json()["frozen"] == []
    await officials.call("operator", ":unfreeze")  # once more: nothing changes
    assert await books("local", madrid) == 201
    assert await books("guest", toledo) == 201
    rows = await origin.world.connection.fetch(
        "SELECT a.kind, a.actor, f.region, f.actor AS who FROM audit_event a JOIN freeze_event f ON f.id = a.about"
    )
    assert sorted((row["kind"], row["region"] or "", row["actor"], row["who"]) for row in rows) == [
        ("frozen", "", "operator", "operator"),
        ("frozen", "ES-MD", "operator", "operator"),
        ("unfrozen", "", "operator", "operator"),
        ("unfrozen", "ES-MD", "operator", "operator"),
    ]


@pytest.mark.parametrize("name", ["england-covid-2021", "england-flu-2024", "us-covid-2021", "two-doses"])
async def test_the_shipped_rules_can_be_published_and_decide(origin: Origin, officials: Officials, name: str) -> None:
    """The second format, through the whole of the service: what is decided is what the evaluator says by itself."""
    raw = (versions.DEMO.parent / f"{name}.json").read_bytes()
    version = await officials.active(msgspec.json.decode(raw))
    told = (await origin.visitor().evaluate(SENIOR)).json()
    alone = Evaluator(parse(raw)).evaluate(msgspec.convert(SENIOR, Facts), origin.world.clock.now().date())
    assert (told["rule_version"], told["outcome"]) == (version, alone.outcome)
    assert [(each["path"], each["met"]) for each in told["explain"]] == [
        (each.path, each.met) for each in alone.branches
    ]
    assert [each["code"] for each in told["reasons"]] == list(dict.fromkeys(each.reason for each in alone.decisive))


async def test_a_document_may_be_as_large_as_documents_may_be(officials: Officials) -> None:
    document = msgspec.json.decode((versions.DEMO.parent / "england-flu-2024.json").read_bytes())
    met = next(iter(document["texts"].values()))["met"]
    met["en"] += "x" * (MAX_BYTES - len(msgspec.json.encode(document)))
    assert len(msgspec.json.encode(document)) == MAX_BYTES
    await officials.draft(document)
    met["en"] += "x"
    refused = await officials.call("rules_author", "/rules", document=document)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_rules")
