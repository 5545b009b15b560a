"""A drill that is told to break something breaks it once, in the middle of the arrivals, and only what is its own."""

import pytest
from pydantic import ValidationError
from rich.console import Console

from deploy.crowds import CrowdSettings
from loadtest.drill.config import DrillConfig
from loadtest.drill.run import Breaking


def test_the_fault_comes_once_and_not_before_its_time() -> None:
    done: list[str] = []

    def fault() -> str:
        done.append("broken")
        return "the store was killed"

    config = DrillConfig("http://edge", "http://origin", "", lambda _: "", "", spike_s=10, fault=fault)
    breaking = Breaking(config, Console(quiet=True))
    breaking.when_due(5.9)
    assert done == []
    for elapsed in (6.0, 6.1):
        breaking.when_due(elapsed)
    assert done == ["broken"]


def test_the_share_that_stays_away_can_change_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CrowdSettings().no_show_step is None
    monkeypatch.setenv("NO_SHOW_STEP", "0.6")
    monkeypatch.setenv("NO_SHOW_STEP_AT", "80")
    told = CrowdSettings()
    assert (told.no_show_step, told.no_show_step_at, told.no_show_step_s) == (0.6, 80, 60)
    monkeypatch.setenv("NO_SHOW_STEP", "1")
    with pytest.raises(ValidationError, match="less than 1"):
        CrowdSettings()


def test_the_store_of_somebody_elses_stack_is_not_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KILL_STORE", "1")
    assert CrowdSettings().kill_store
    monkeypatch.setenv("EDGE", "http://edge.example")
    monkeypatch.setenv("ORIGIN", "http://origin.example")
    with pytest.raises(ValidationError, match="KILL_STORE needs a stack of the drill's own"):
        CrowdSettings()
