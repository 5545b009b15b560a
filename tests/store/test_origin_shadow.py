"""Candidates are asked behind the requests, about whom they concern, and keep nothing but what they say."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from origin.eligibility.shadow import Shadow
from origin.sweeping import Sweeper
from tests.origin_world import ADULT, SENIOR, Origin
from tests.rules_world import Officials, from_age

IN_TOLEDO = {"region": "ES-CM"}


def shadow_of(origin: Origin) -> Shadow:
    return Shadow(origin.state.database, origin.state.decisions.sealer)


async def shadowed(origin: Origin, document: object, region: str | None = None) -> tuple[Officials, int]:
    officials = Officials(origin.client)
    version = await officials.approved(document, region)
    assert (await officials.call("rules_author", f"/rules/{version}:shadow")).status_code == 200
    return officials, version


async def report(officials: Officials, version: int) -> Any:
    return await officials.get(f"/rules/{version}/shadow")


async def test_differences_are_told_by_region_and_reason_before_anybody_flips_the_rules(origin: Origin) -> None:
    officials, version = await shadowed(origin, from_age(70))
    await origin.visitor("before").decision()
    for number, facts in enumerate([SENIOR, SENIOR | {"birth_date": "1960-01-01"}, ADULT, SENIOR | IN_TOLEDO]):
        await origin.visitor(f"person-{number}").decision(facts)
    await origin.visitor("young").decision(SENIOR | IN_TOLEDO | {"birth_date": "1958-01-01"})
    assert (await report(officials, version))["waiting"] == 6
    assert await shadow_of(origin).run() == 6
    assert await shadow_of(origin).run() == 0
    told = await report(officials, version)
    assert (told["compared"], told["different"], told["waiting"]) == (6, 2, 0)
    assert [
        (each["region"], each["live"], each["candidate"], each["reason"], each["decisions"])
        for each in told["differences"]
    ] == [
        ("ES-CM", "eligible", "not_eligible", "AGE_65_OR_OLDER", 1),
        ("ES-MD", "eligible", "not_eligible", "AGE_65_OR_OLDER", 1),
    ]
    stored = str(await origin.world.connection.fetch("SELECT t::text FROM shadow_outcome t"))
    assert [date for date in ("1950-05-17", "1960-01-01", "1990-05-17", "1958-01-01") if date in stored] == []
    assert await origin.world.count("decision", "rule_version <> 1") == 0
    await officials.activate(version)
    await origin.visitor("after").decision()
    assert (await report(officials, version))["waiting"] == 0


async def test_a_regions_candidate_is_asked_about_its_people_and_the_programmes_about_the_rest(origin: Origin) -> None:
    officials, regional = await shadowed(origin, from_age(80), "ES-MD")
    _, general = await shadowed(origin, from_age(80))
    await origin.visitor("in Madrid").decision()
    await origin.visitor("in Toledo").decision(SENIOR | IN_TOLEDO)
    await shadow_of(origin).run()
    assert (await report(officials, regional))["compared"] == 1
    assert (await report(officials, general))["compared"] == 2
    await officials.active(from_age(60), "ES-MD")
    await origin.visitor("under the region's").decision()
    await shadow_of(origin).run()
    assert (await report(officials, general))["compared"] == 2, "it would not decide there"
    assert (await officials.call("rules_author", f"/rules/{general}:unshadow")).status_code == 200
    await origin.visitor("later").decision(SENIOR | IN_TOLEDO)
    assert await origin.world.count("shadow_waiting") == 0


async def test_another_dose_is_a_difference_and_lost_facts_are_nobodys_opinion(origin: Origin) -> None:
    document = from_age(65)
    document["offers"][0]["grants"] = {"products": ["141"], "dose": 1}
    officials, version = await shadowed(origin, document)
    await origin.visitor("ana").decision()
    await origin.visitor("bo").decision()
    await origin.world.connection.execute(
        "UPDATE decision SET facts_sealed = NULL WHERE ref = (SELECT min(ref::text)::uuid FROM decision)"
    )
    assert await shadow_of(origin).run() == 1
    told = await report(officials, version)
    assert (told["compared"], told["different"], told["waiting"]) == (1, 1, 0)
    assert (told["differences"][0]["live"], told["differences"][0]["candidate"]) == ("eligible", "eligible")


async def test_candidates_are_asked_before_facts_are_erased(origin: Origin) -> None:
    officials, version = await shadowed(origin, from_age(80))
    await origin.visitor("ana").decision()
    origin.world.clock.advance(3700)
    assert await Sweeper(origin.state.database, origin.world.clock, shadow_of(origin)).erase_facts() == 1
    assert (await report(officials, version))["different"] == 1


async def test_the_worker_of_a_deployment_asks_candidates_with_the_key_rings(
    origin: Origin, database_url: str, tmp_path: Path
) -> None:
    officials, version = await shadowed(origin, from_age(80))
    await origin.visitor("ana").decision()
    environment = os.environ | {
        "VESTIBULE_DATABASE_URL": database_url,
        "VESTIBULE_ORIGIN_KEYS_FILE": str(tmp_path / "origin.json"),
        "VESTIBULE_PERSON_KEYS_FILE": str(tmp_path / "person.json"),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "origin.worker", env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(20):
        while True:
            if (await report(officials, version))["compared"]:
                break
            await asyncio.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0
