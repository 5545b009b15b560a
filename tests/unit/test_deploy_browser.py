"""Where no browser can be had, the message says what to do, and CI fails instead of skipping."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy import browser


@pytest.fixture
def without_browser(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """No browser anywhere, and installers that fail, but for apt's update; gives what was tried."""
    tried: list[list[str]] = []
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(browser, "_playwrights_own", lambda: None)

    def run(command: list[str], *, check: bool) -> subprocess.CompletedProcess[bytes]:
        tried.append(command)
        return subprocess.CompletedProcess(command, 0 if "update" in command else 1)

    monkeypatch.setattr("deploy.browser.subprocess.run", run)
    return tried


def test_ci_fails_without_a_browser(
    without_browser: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(SystemExit) as ended:
        browser.main()

    assert ended.value.code == 1
    assert "set CHROMIUM" in capsys.readouterr().err


def test_elsewhere_the_message_says_what_to_do(
    without_browser: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CI", raising=False)

    browser.main()

    assert "Install Chromium" in capsys.readouterr().err


@pytest.mark.parametrize(("user", "with_apt", "first"), [(0, True, "apt-get"), (0, False, "-m"), (1000, True, "-m")])
def test_root_on_debian_takes_the_distributions_package(
    without_browser: list[list[str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    make_program: Callable[[str], Path],
    user: int,
    with_apt: bool,
    first: str,
) -> None:
    monkeypatch.setattr("deploy.browser.os.geteuid", lambda: user)
    if with_apt:
        make_program("apt-get")

    assert browser.install() is None

    assert first in without_browser[0][:2]
    if first == "apt-get":
        assert [command[-1] for command in without_browser[1:]] == ["chromium-headless-shell", "chromium"]


def test_a_named_browser_is_taken_and_an_installed_one_found(
    without_browser: list[list[str]], monkeypatch: pytest.MonkeyPatch, make_program: Callable[[str], Path]
) -> None:
    chromium = make_program("chromium")
    assert browser.install() == chromium
    shell = make_program("chromium-headless-shell")
    assert browser.install() == shell, "the quicker one"

    named = make_program("another")
    monkeypatch.setenv("CHROMIUM", str(named))
    assert browser.install() == named
    assert without_browser == []


@pytest.fixture
def make_program(tmp_path: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        path = tmp_path / name
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
        return path

    return make
