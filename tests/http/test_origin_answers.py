"""Why was I denied? What support and the ombudsman are told, with the proof that it is what was recorded."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from origin.eligibility.store import DecisionStore
from tests import origin_world
from tests.answers_world import ADULT, DECISIONS, SENIOR, Helpers, denied
from tests.origin_world import Origin, bearer
from tests.rules_world import Officials, from_age


async def test_support_is_told_the_outcome_each_branch_the_rules_and_who_published_them(
    origin: Origin, helpers: Helpers
) -> None:
    officials = Officials(origin.client)
    version = await officials.active(from_age(70))
    _, ref = await denied(origin)
    told = await helpers.answer(ref)
    assert (told["decision_ref"], told["outcome"], told["grants"], told["region"]) == (
        ref,
        "not_eligible",
        None,
        "ES-MD",
    )
    age = next(branch for branch in told["branches"] if branch["reason"] == "AGE_65_OR_OLDER")
    assert (age["met"], age["asks"], age["said"]) == (False, "Age: at least 70", "You are younger than 65.")
    rules = told["rules"]
    assert (rules["version"], rules["author"], rules["reviewer"]) == (version, "rules_author", "rules_reviewer")
    assert [(move["act"], move["by"], move["reason"]) for move in rules["in_force"]] == [
        ("activated", "rules_reviewer", "a test")
    ]
    text = await helpers.get(f"{DECISIONS}/{ref}/rules", role="ombudsman")
    assert hashlib.sha256(text.content).hexdigest() == rules["ruleset"]


@pytest.mark.parametrize(
    ("language", "asks", "said"),
    [
        ("es", "Edad: al menos 65", "Tiene menos de 65 años."),
        ("fr", "Âge : au moins 65", "Vous avez moins de 65 ans."),
        ("ar", "العمر: 65 على الأقل", ""),
    ],
)
async def test_it_is_told_in_the_readers_language(
    origin: Origin, helpers: Helpers, language: str, asks: str, said: str
) -> None:
    _, ref = await denied(origin)
    answer = await helpers.get(f"{DECISIONS}/{ref}", **{"Accept-Language": language})
    assert answer.headers["content-language"] == language
    branch = next(each for each in answer.json()["branches"] if each["reason"] == "AGE_65_OR_OLDER")
    assert branch["asks"] == asks
    assert said in {"", branch["said"]}
    assert answer.json()["proof"]["recorded"] in answer.json()["proof"]["said"]


async def test_a_decision_is_recorded_and_recomputed_the_same_and_later_only_its_digest_is_left(
    origin: Origin, helpers: Helpers
) -> None:
    """E6: for as long as the facts live."""
    _, ref = await denied(origin)
    proof = (await helpers.answer(ref))["proof"]
    assert proof["status"] == "same"
    assert proof["recorded"] == proof["stored"] == proof["recomputed"]
    assert proof["said"] == f"Recorded and recomputed the same: {proof['recorded']}"
    origin.world.clock.advance(timedelta(hours=2).total_seconds())
    assert await DecisionStore().erase_facts(origin.world.connection, now=origin.world.clock.now(), at_most=10) == 1
    later = (await helpers.answer(ref))["proof"]
    assert (later["status"], later["recorded"], later["stored"]) == ("erased", proof["recorded"], proof["stored"])
    assert later["recomputed"] is None


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("UPDATE decision SET outcome = 'incomplete'", "altered"),
        ("UPDATE decision SET branches = jsonb_set(branches, '{0,1}', '\"OTHER\"')", "altered"),
        ("UPDATE decision SET inputs_hash = '\\x00'", "altered"),
        ("UPDATE decision SET person = sha256('x')", "altered"),
        ("UPDATE audit_event SET details = details - 'digest'", "undigested"),
        (
            "UPDATE decision SET outcome = 'incomplete'; UPDATE audit_event SET details = details - 'digest'",
            "different",
        ),
        ("SET session_replication_role = replica; UPDATE ruleset SET document = document || ' '", "rules_altered"),
    ],
)
async def test_what_was_altered_behind_our_back_is_told(
    origin: Origin, helpers: Helpers, change: str, status: str
) -> None:
    """The control of the proof."""
    _, ref = await denied(origin)
    await origin.world.connection.execute(change)
    assert (await helpers.answer(ref))["proof"]["status"] == status


async def test_a_pseudonym_leads_to_all_decisions_and_nobody_elses(origin: Origin, helpers: Helpers) -> None:
    ana, first = await denied(origin)
    origin.world.clock.advance(1)
    second = await ana.decision(SENIOR)
    await denied(origin, "bruno")
    person = (await helpers.answer(first))["person"]
    found = await helpers.post(f"{DECISIONS}:find", sub="sofia", role="support", person=person)
    assert [(each["decision_ref"], each["outcome"]) for each in found.json()["decisions"]] == [
        (second, "eligible"),
        (first, "not_eligible"),
    ]
    nobody = await helpers.post(f"{DECISIONS}:find", sub="sofia", role="support", person="0" * 64)
    assert nobody.json() == {"person": "0" * 64, "decisions": []}
    wrong = await helpers.post(f"{DECISIONS}:find", sub="sofia", role="support", person="ana")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_body")


async def test_nobody_is_told_what_was_answered(origin: Origin, helpers: Helpers) -> None:
    """U3: outcomes of comparisons, never the facts that were compared."""
    facts: dict[str, Any] = ADULT | {"birth_date": "1987-11-23", "job_code": "none", "conditions": ["hay-fever-7731"]}
    ref = await origin.visitor().decision(facts)
    answer = await helpers.get(f"{DECISIONS}/{ref}")
    assert "1987" not in answer.text
    assert "hay-fever-7731" not in answer.text
    assert "ana" not in answer.json()["person"]


async def test_whoever_looks_leaves_an_audit_row(origin: Origin, helpers: Helpers) -> None:
    _, ref = await denied(origin)
    await helpers.answer(ref)
    told = await helpers.answer(ref)
    assert [(each["kind"], each["role"]) for each in told["audit"]] == [
        ("decided", "visitor"),
        ("decision_viewed", "support"),
    ]
    rows = await origin.world.connection.fetch("SELECT person FROM audit_event WHERE kind = 'decision_viewed'")
    assert [row["person"] for row in rows] == [origin.state.people.pseudonym(origin_world.ISSUER, "sofia")] * 2


@pytest.mark.parametrize("path", [f"{DECISIONS}/7", f"{DECISIONS}/00000000-0000-0000-0000-000000000000"])
async def test_an_unknown_reference_is_not_found(helpers: Helpers, path: str) -> None:
    for tail in ("", "/rules"):
        answer = await helpers.get(path + tail)
        assert (answer.status_code, answer.json()["code"]) == (404, "reference_unknown")


CALLS: list[tuple[str, str, dict[str, Any] | None, set[str]]] = [
    ("POST", ":find", {"person": "0" * 64}, {"support", "ombudsman", "overrider"}),
    ("GET", "/7", None, {"support", "ombudsman", "overrider"}),
    ("GET", "/7/rules", None, {"support", "ombudsman", "overrider"}),
    ("POST", "/7:override", {}, {"overrider"}),
]


@pytest.mark.parametrize(("method", "path", "body", "roles"), CALLS, ids=[row[1] for row in CALLS])
async def test_every_call_needs_its_role(
    origin: Origin, method: str, path: str, body: dict[str, Any] | None, roles: set[str]
) -> None:
    """U5, for what support sees."""
    for role in (None, "visitor", "rules_author", "operator", "support", "ombudsman", "overrider"):
        headers = {} if role is None else {"Authorization": f"Bearer {bearer('someone', role)}"}
        answer = await origin.client.request(method, DECISIONS + path, json=body, headers=headers)
        assert (answer.status_code == 401) == (role is None)
        assert (answer.status_code == 403) == (role is not None and role not in roles), (role, answer.text)
