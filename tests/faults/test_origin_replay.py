"""A replay that is killed goes on behind its last whole batch, and finds what an undisturbed one finds."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from uuid import uuid4

from origin.eligibility.replay import Replay
from tests.conftest import ROOT
from tests.origin_world import SENIOR, START, Origin
from tests.rules_world import Officials, from_age

DECISIONS = 400


async def crowd(origin: Origin) -> None:
    for number in range(DECISIONS):
        born = f"{1940 + number % 40}-05-17"
        await origin.visitor(f"person-{number}").decision(SENIOR | {"birth_date": born})


async def test_a_killed_replay_goes_on_and_finds_the_same(origin: Origin, database_url: str, tmp_path: Path) -> None:
    await crowd(origin)
    version = await Officials(origin.client).approved(from_age(75))
    command = [sys.executable, "-m", "tests.faults.replayer", database_url, str(tmp_path), str(version)]
    kills = 0
    while kills < 4:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        async with asyncio.timeout(30):
            told = await process.stdout.readline()
            if not told:
                break
            process.send_signal(signal.SIGKILL)
            await process.wait()
        kills += 1
    assert kills == 4
    unfinished = await origin.world.connection.fetchrow("SELECT id, seen FROM replay WHERE finished_at IS NULL")
    assert unfinished is not None
    assert 0 < unfinished["seen"] < DECISIONS
    replay = Replay(origin.world.connection, origin.state.decisions.sealer)
    went_on = await replay.begin(uuid4(), "demo", 1, version, START)
    assert went_on.id == unfinished["id"]
    ended = await replay.run(went_on, START, lambda _: None)
    undisturbed = await replay.run(await replay.begin(uuid4(), "demo", 1, version, START), START, lambda _: None)
    assert undisturbed.id != ended.id
    assert (ended.seen, ended.changed, ended.erased) == (DECISIONS, undisturbed.changed, 0)
    assert undisturbed.changed > 0
    assert await replay.findings(ended.id) == await replay.findings(undisturbed.id)
