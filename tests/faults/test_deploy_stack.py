"""A stack that is stopped, killed, robbed of a part or started wrongly leaves nothing behind and says why."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest
from redis import Redis

from deploy.datadir import Addresses
from deploy.stores import Postgres, Valkey, free_port
from tests.deploying import Up, gone, stack_folder, until


def _all_gone(addresses: Addresses) -> bool:
    return all(gone(pid) for pid in addresses["pids"].values())


@pytest.fixture
def own_stores() -> Iterator[Up]:
    with stack_folder() as folder:
        command = Up(folder)
        yield command
        command.stop()


@pytest.fixture
def given_stores(tmp_path: Path, valkey_server: Valkey, database_url: str) -> Iterator[Up]:
    with closing(Redis.from_url(valkey_server.url)) as store:  # no rooms of other tests, whose clocks are others
        store.flushall()
    settings = {"VESTIBULE_REDIS_URL": valkey_server.url, "VESTIBULE_DATABASE_URL": database_url}
    command = Up(tmp_path / "data", settings)
    yield command
    command.stop()


def _fetch(database_url: str, query: str) -> int:
    async def fetch() -> int:
        connection = await asyncpg.connect(database_url)
        try:
            return int(await connection.fetchval(query))
        finally:
            await connection.close()

    return asyncio.run(fetch())


def _slots(database_url: str) -> int:
    return _fetch(database_url, "SELECT count(*) FROM slot")


def test_a_stopped_stack_leaves_no_process_and_its_data_is_found_again(own_stores: Up) -> None:
    first = own_stores.start()
    joined = httpx.post(f"{first['edge_url']}/v1/rooms/demo/tickets").json()
    slots = _slots(first["database_url"])

    assert own_stores.stop(signal.SIGINT) == 0
    assert _all_gone(first)
    assert not own_stores.ready_file.exists()
    assert not (own_stores.data_dir / "running.json").exists()

    again = own_stores.start()
    standing = httpx.get(
        f"{again['edge_url']}/v1/rooms/demo/tickets/me", headers={"Authorization": f"Ticket {joined['ticket']}"}
    )
    assert standing.json()["place"] == joined["place"]
    assert httpx.post(f"{again['edge_url']}/v1/rooms/demo/tickets").json()["place"] == joined["place"] + 1
    assert _slots(again["database_url"]) == slots > 0


def test_given_servers_are_used_and_left_running(given_stores: Up, valkey_server: Valkey, database_url: str) -> None:
    addresses = given_stores.start()

    assert set(addresses["pids"]) == {"identity", "edge", "origin", "worker"}
    assert not (given_stores.data_dir / "postgres").exists()
    assert _slots(database_url) > 0
    assert given_stores.stop() == 0
    assert _all_gone(addresses)
    assert valkey_server.process is not None
    assert valkey_server.process.poll() is None


@pytest.mark.parametrize("victim", ["origin", "worker"])
def test_the_end_of_one_process_ends_the_stack_and_names_it(given_stores: Up, victim: str) -> None:
    addresses = given_stores.start()

    os.kill(addresses["pids"][victim], signal.SIGKILL)
    printed = given_stores.output()

    assert given_stores.running.returncode == 1
    assert f"vestibule: {victim} ended with status -9" in printed
    assert _all_gone(addresses)


def test_a_killed_command_takes_its_children_with_it(own_stores: Up) -> None:
    addresses = own_stores.start()

    own_stores.running.kill()

    until(lambda: _all_gone(addresses), seconds=20, what="the end of all children")


def test_a_stop_while_starting_leaves_nothing_running_and_nothing_half_made(own_stores: Up) -> None:
    own_stores.process = own_stores.launch()
    command = psutil.Process(own_stores.process.pid)

    def begun() -> list[psutil.Process]:
        """Everything that runs, once initdb is in the middle of making the files."""
        children = command.children(recursive=True)
        return children if any("--boot" in _arguments(child) for child in children) else []

    children = until(begun, seconds=20, what="the middle of initdb")

    assert own_stores.stop() == 0
    until(lambda: all(gone(child.pid) for child in children), seconds=20, what="the end of all that was started")
    server = Postgres(own_stores.data_dir / "postgres", free_port())
    server.start()
    try:
        assert _fetch(server.url("postgres"), "SELECT 1") == 1
    finally:
        server.stop()


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # gone meanwhile, or on its way
        return []


@pytest.mark.parametrize("setting", ["VESTIBULE_EDGE_PORT", "VESTIBULE_POSTGRES_PORT"])
def test_a_taken_port_names_its_setting_in_one_line_and_nothing_runs(own_stores: Up, setting: str) -> None:
    with socket.create_server(("127.0.0.1", int(own_stores.environment[setting]))):
        status, printed = own_stores.refusal()

    assert status == 2
    assert (
        printed.strip() == f"vestibule: port {own_stores.environment[setting]} is taken; set {setting} to another one"
    )
    assert not (own_stores.data_dir / "postgres").exists()


def test_a_service_that_cannot_start_is_named_with_its_own_words(given_stores: Up) -> None:
    given_stores.environment["VESTIBULE_POOL_SIZE"] = "many"

    status, printed = given_stores.refusal()

    assert status == 1
    assert "VESTIBULE_POOL_SIZE: Input should be a valid integer" in printed
    assert "vestibule: origin ended with status 2" in printed


def test_a_database_that_is_not_there_is_told(own_stores: Up) -> None:
    own_stores.environment["VESTIBULE_DATABASE_URL"] = "postgresql://postgres@127.0.0.1:9/vestibule?sslmode=disable"

    status, printed = own_stores.refusal()

    assert status == 2
    assert "migration failed" in printed
