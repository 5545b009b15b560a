"""The real stack, started as anybody would start it, takes a visitor the whole way over HTTP."""

import io
import json
import subprocess
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from deploy import demo
from deploy.datadir import Addresses
from deploy.up import welcome
from tests.deploying import VESTIBULE, Up, stack_folder, until


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    with stack_folder() as folder:
        command = Up(folder)
        yield command
        command.stop()


@pytest.fixture(scope="module")
def addresses(up: Up) -> Addresses:
    return up.start()


def _token(up: Up, *arguments: str) -> str:
    return subprocess.run(
        [VESTIBULE, "token", *arguments], env=up.environment, check=True, capture_output=True, text=True
    ).stdout.strip()


def _taken_through(edge: httpx.Client) -> str:
    """Join the line, wait for the call, and return the admission token."""
    room = f"/v1/rooms/{demo.ROOM}"
    joined = edge.post(f"{room}/tickets")
    assert joined.status_code == 201, joined.text
    until(lambda: edge.get(f"{room}/tickets/me").json()["state"] == "called", seconds=10, what="the call")
    return str(until(lambda: edge.post(f"{room}/admissions").json().get("token"), seconds=10, what="the token"))


def _nearest_slot(origin: httpx.Client) -> dict[str, Any]:
    now = datetime.now(UTC)
    town = demo.towns()[0]
    found = origin.get(
        "/v1/slots",
        params={
            "lat": town.lat,
            "lng": town.lng,
            "radius_km": 200,
            "from": now.isoformat(),
            "to": (now + timedelta(days=6)).isoformat(),
        },
    )
    assert found.status_code == 200, found.text
    slot: dict[str, Any] = found.json()["slots"][0]
    return slot


def test_a_visitor_joins_is_called_proves_eligibility_books_and_cancels(up: Up, addresses: Addresses) -> None:
    bearer = {"Authorization": f"Bearer {_token(up, '--role', 'visitor', '--sub', 'ana')}"}
    with (
        httpx.Client(base_url=addresses["edge_url"]) as edge,
        httpx.Client(base_url=addresses["origin_url"], headers=bearer) as origin,
    ):
        exchanged = origin.post("/v1/admission:exchange", json={"token": _taken_through(edge)})
        assert exchanged.status_code == 200, exchanged.text
        assert exchanged.json()["programme"] == demo.PROGRAMME

        decided = origin.post("/v1/eligibility:evaluate", json={"facts": demo.ELIGIBLE_FACTS})
        assert decided.json()["outcome"] == "eligible", decided.text

        slot = _nearest_slot(origin)
        order = {"slot_id": slot["id"], "decision_ref": decided.json()["decision_ref"]}
        booked = origin.post("/v1/appointments", json=order, headers={"Idempotency-Key": str(uuid.uuid4())})
        assert booked.status_code == 201, booked.text
        assert booked.json()["status"] == "confirmed"

        place = booked.headers["location"]
        assert origin.get(place).json()["slot"]["id"] == slot["id"]
        assert origin.delete(place).is_success
        assert origin.get(place).json()["status"] == "cancelled"


def test_operators_change_the_rate_with_a_token_of_the_command_line(up: Up, addresses: Addresses) -> None:
    room = f"{addresses['edge_url']}/v1/ops/rooms/{demo.ROOM}"

    changed = httpx.patch(
        room,
        json={"rate_per_s": 40, "reason": "as many as can be vaccinated"},
        headers={"Authorization": f"Bearer {_token(up, '--role', 'operator', '--sub', 'olga')}"},
    )
    refused = httpx.patch(
        room,
        json={"rate_per_s": 9, "reason": "a visitor"},
        headers={"Authorization": f"Bearer {_token(up, '--sub', 'ana')}"},
    )

    assert changed.status_code == 200, changed.text
    assert refused.status_code == 403


def test_a_small_crowd_is_drilled_on_the_stack_that_runs(up: Up, addresses: Addresses, tmp_path: Path) -> None:
    crowd = {"VISITORS": "20", "SPIKE": "1", "RATE": "100", "NO_SHOW": "0"}
    at = {"EDGE": addresses["edge_url"], "ORIGIN": addresses["origin_url"]}

    drilled = subprocess.run(
        [VESTIBULE, "drill"],
        env=up.environment | crowd | at,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert drilled.returncode == 0, drilled.stdout + drilled.stderr
    report = json.loads((tmp_path / "build" / "drill" / "report.json").read_text())
    assert report["passed"]
    assert report["booked"] == 20


def test_a_drill_without_one_of_the_two_addresses_is_refused(up: Up) -> None:
    refused = subprocess.run(
        [VESTIBULE, "drill"],
        env=up.environment | {"EDGE": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode == 2
    assert refused.stderr.strip() == "vestibule: give both EDGE and ORIGIN, or none of them"


def test_the_identity_provider_knows_the_demos_people(addresses: Addresses) -> None:
    page = httpx.get(
        f"{addresses['identity_url']}/oauth2/authorize", params=_LOGIN | {"redirect_uri": addresses["origin_url"]}
    )

    assert page.status_code == 200
    assert "olga" in page.text


@pytest.mark.parametrize(
    ("page", "names"),
    [("/admin", ["aurelia", "rosa", "olga"]), ("/support", ["sofia", "vera", "victor"]), ("/site", ["stella"])],
)
def test_staff_sign_in_where_a_newcomer_is_told_to(addresses: Addresses, page: str, names: list[str]) -> None:
    told = io.StringIO()
    Console(file=told, width=200).print(welcome(addresses))
    [line] = [line for line in told.getvalue().splitlines() if f"{addresses['origin_url']}{page} " in line]
    for name in names:
        assert name in line
        with httpx.Client(follow_redirects=True, headers={"Accept": "text/html"}) as browser:
            asked = browser.get(f"{addresses['origin_url']}{page}")
            assert "Please sign in" in asked.text
            at_provider = browser.get(f"{addresses['origin_url']}/login")
            signed_in = browser.post(at_provider.url, data={"sub": name})
            assert signed_in.status_code == 200
            assert browser.get(f"{addresses['origin_url']}{page}").status_code == 200, name


def test_the_ready_file_tells_where_everything_is(up: Up, addresses: Addresses) -> None:
    assert set(addresses["pids"]) == {"identity", "valkey", "edge", "postgres", "origin", "worker"}
    assert addresses["data_dir"] == str(up.data_dir)
    assert json.loads((up.data_dir / "running.json").read_text()) == addresses
    for url in (addresses["edge_url"], addresses["origin_url"]):
        assert httpx.get(f"{url}/readyz").status_code == 200


def test_a_second_stack_on_the_same_data_is_refused(up: Up, addresses: Addresses) -> None:
    second = Up(up.data_dir)

    status, printed = second.refusal()

    assert status == 2
    assert printed.strip().endswith("set VESTIBULE_DATA_DIR to another directory")
    assert httpx.get(f"{addresses['edge_url']}/readyz").status_code == 200
    assert (up.data_dir / "running.json").exists()


_LOGIN = {"client_id": "vestibule", "response_type": "code", "scope": "openid"}
