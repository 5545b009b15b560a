"""The origin's settings: every fault at once, by name, without values."""

from pathlib import Path

import pytest

from origin.config import OriginConfig
from shared.settings import load
from tests import origin_world


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    origin_world.config(tmp_path, "postgresql://nobody@127.0.0.1/none")
    issuer = f'{{"issuer": "urn:x", "audience": "vestibule", "jwks_file": "{tmp_path}/jwks.json", "local": true}}'
    for name, value in {
        "ENVIRONMENT": "local",
        "DATABASE_URL": "postgresql://ana:hunter2@127.0.0.1/none",
        "ADMISSION_KEYS_FILE": f"{tmp_path}/admission.json",
        "ORIGIN_KEYS_FILE": f"{tmp_path}/origin.json",
        "PERSON_KEYS_FILE": f"{tmp_path}/person.json",
        "TRUSTED_ISSUERS": f"[{issuer}]",
    }.items():
        monkeypatch.setenv(f"VESTIBULE_{name}", value)
    return monkeypatch


def test_good_settings_are_read_and_secrets_are_not_shown(environment: pytest.MonkeyPatch) -> None:
    config = load(OriginConfig)
    assert config.trusted_issuers[0].issuer == "urn:x"
    assert "hunter2" not in repr(config)


def test_every_fault_is_reported_at_once_and_no_value_is(
    environment: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.delenv("VESTIBULE_DATABASE_URL")
    environment.setenv("VESTIBULE_ENVIRONMENT", "production")
    environment.setenv("VESTIBULE_POOL_SIZE", "many-hunter2")
    environment.setenv("VESTIBULE_ADMISSION_KEYS_FILE", f"{tmp_path}/nowhere.json")
    (tmp_path / "short.json").write_text('{"current": "a", "keys": {"a": "c2hvcnQ"}}')
    environment.setenv("VESTIBULE_ORIGIN_KEYS_FILE", f"{tmp_path}/short.json")
    with pytest.raises(SystemExit) as ended:
        load(OriginConfig)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    for name in ("DATABASE_URL", "POOL_SIZE", "ADMISSION_KEYS_FILE", "ORIGIN_KEYS_FILE", "TRUSTED_ISSUERS"):
        assert f"VESTIBULE_{name}" in said
    assert "hunter2" not in said
    assert "c2hvcnQ" not in said
