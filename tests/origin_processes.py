"""Origins in processes of their own, to be killed."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec

from deploy.stores import free_port
from origin.config import OriginConfig
from tests import origin_world
from tests.conftest import ROOT
from tests.edge_processes import until


@dataclass
class OriginProcess:
    """An origin on a port of its own; it can be killed and started again."""

    environment: dict[str, str] = field(repr=False)
    browser: httpx.AsyncClient
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; it answers some time later."""
        self.process = subprocess.Popen([sys.executable, "-m", "origin"], env=self.environment, cwd=ROOT)

    def kill(self) -> None:
        """``kill -9``."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    async def is_ready(self) -> bool:
        """Whether it answers, and reaches its database."""
        assert self.process is not None
        assert self.process.poll() is None, "the origin has ended"
        try:
            return (await self.browser.get("/readyz")).status_code == 200
        except httpx.HTTPError:
            return False


def environment(config: OriginConfig) -> dict[str, str]:
    """Return the variables that an origin reads as these settings."""
    given = {
        "ENVIRONMENT": config.environment,
        "DATABASE_URL": config.database_url.get_secret_value(),
        "ADMISSION_KEYS_FILE": str(config.admission_keys_file),
        "ORIGIN_KEYS_FILE": str(config.origin_keys_file),
        "PERSON_KEYS_FILE": str(config.person_keys_file),
        "TRUSTED_ISSUERS": msgspec.json.encode(
            [each.model_dump(mode="json") for each in config.trusted_issuers]
        ).decode(),
        "POOL_WAIT_S": str(config.pool_wait_s),
    }
    return dict(os.environ) | {f"VESTIBULE_{name}": value for name, value in given.items()}


@asynccontextmanager
async def origins(how_many: int, database_url: str, folder: Path) -> AsyncIterator[list[OriginProcess]]:
    """So many origins on one database, ready."""
    told_to = environment(origin_world.config(folder, database_url, pool_wait_s=1))
    made: list[OriginProcess] = []
    try:
        for _ in range(how_many):
            port = free_port()
            browser = origin_world.client(f"http://127.0.0.1:{port}")
            made.append(OriginProcess(told_to | {"VESTIBULE_ORIGIN_PORT": str(port)}, browser))
            made[-1].start()
        for each in made:
            await until(each.is_ready, 30)
        yield made
    finally:
        for each in made:
            each.kill()
            await each.browser.aclose()
