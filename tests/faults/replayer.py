"""Replays version 1 against another of the demo programme, slowly, for the test that kills it: URL, folder, version."""

import asyncio
import sys
from pathlib import Path
from uuid import uuid4

from origin.db.pool import connect
from origin.eligibility import replay
from origin.eligibility.facts import FactSealer
from shared.ids import SystemIds
from shared.keys import KeyRing
from tests.origin_world import START


async def main(url: str, folder: Path, version: int) -> None:
    replay.BATCH = 20
    sealer = FactSealer(KeyRing.load(folder / "origin.json"), KeyRing.load(folder / "person.json"), SystemIds())
    run = replay.Replay(await connect(url), sealer)
    begun = await run.begin(uuid4(), "demo", 1, version, START)

    def tell(progress: replay.Progress) -> None:
        sys.stdout.write(f"{progress.seen}\n")
        sys.stdout.flush()

    await run.run(begun, START, tell)


asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
