"""Faults of the stack's settings are told by the name of their variable, before anything is started."""

import pytest

from deploy.crowds import CrowdSettings
from deploy.settings import StackSettings
from shared.settings import load


def test_a_port_that_is_no_number_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VESTIBULE_EDGE_PORT", "eighty")
    monkeypatch.setenv("VESTIBULE_ORIGIN_PORT", "70000")

    with pytest.raises(SystemExit) as ended:
        load(StackSettings)

    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert "VESTIBULE_EDGE_PORT" in told
    assert "VESTIBULE_ORIGIN_PORT" in told
    assert "eighty" not in told


def test_the_same_port_twice_names_both_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VESTIBULE_EDGE_PORT", "8084")

    with pytest.raises(SystemExit):
        load(StackSettings)

    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "VESTIBULE_EDGE_PORT, VESTIBULE_VALKEY_PORT" in told


def test_a_wrong_database_address_is_not_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VESTIBULE_DATABASE_URL", "mysql://root:hunter2@db/x")

    with pytest.raises(SystemExit):
        load(StackSettings)

    told = capsys.readouterr().err
    assert "VESTIBULE_DATABASE_URL" in told
    assert "hunter2" not in told


def test_ports_of_servers_that_are_given_are_not_needed() -> None:
    own = StackSettings()
    given = StackSettings.model_validate(
        {"redis_url": "redis://cache:6379/0", "database_url": "postgresql://db/vestibule"}
    )

    assert {field for field, _ in own.used_ports} - {field for field, _ in given.used_ports} == {
        "valkey_port",
        "postgres_port",
    }


def test_a_crowd_needs_both_addresses_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE", "http://127.0.0.1:8080")

    with pytest.raises(ValueError, match="both EDGE and ORIGIN"):
        CrowdSettings()
