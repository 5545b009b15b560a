"""Words, shells and statics of the common look."""

from pathlib import Path

import pytest

from shared.web import words
from shared.web.environment import environment
from shared.web.shell import Shell, Slots
from shared.web.statics import Statics


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0, 0, "less than a minute"),
        (10, 59, "less than a minute"),
        (30, 150, "up to 3 minutes"),
        (240, 401, "between 4 and 7 minutes"),
        (300, 300, "about 5 minutes"),
        (1700, 2000, "between 28 and 35 minutes"),
        (3600, 5000, "between 1 hour and 1 hour 25 minutes"),
        (7300, 11000, "between 2 hours and 3 hours 15 minutes"),
        (90_000, 200_000, "more than 24 hours"),
        (50_000, 200_000, "more than 13 hours 45 minutes"),
        (-5, -1, "less than a minute"),
        (400, 240, "between 6 and 7 minutes"),
    ],
)
def test_a_wait_is_said_as_an_interval_in_round_figures(low: float, high: float, said: str) -> None:
    assert words.wait(low, high) == said


def test_a_shell_is_filled_with_escaped_values() -> None:
    slot = Slots()
    shell = Shell(f"<p>{slot.name}</p><b>{slot.place}</b>")
    assert shell.fill({"name": "<i>", "place": 7}) == b"<p>&lt;i&gt;</p><b>7</b>"


def test_a_missing_value_in_a_template_is_an_error_not_a_gap(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("{{ missing }}")
    with pytest.raises(Exception, match="missing"):
        environment(tmp_path, Statics(tmp_path)).get_template("a.html").render()


def test_the_address_of_a_static_file_changes_with_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a{}")
    before = Statics(tmp_path).url("a.css")
    (tmp_path / "a.css").write_text("b{}")
    assert Statics(tmp_path).url("a.css") != before


def test_a_module_is_imported_by_the_address_of_what_it_is_now(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text('import { b } from "./b.js";')
    (tmp_path / "b.js").write_text('export { c as b } from "./c.js";')
    (tmp_path / "c.js").write_text("export const c = 1;")
    before = Statics(tmp_path)
    (tmp_path / "c.js").write_text("export const c = 2;")
    after = Statics(tmp_path)
    assert all(before.url(name) != after.url(name) for name in ("a.js", "b.js", "c.js")), "each is another file now"
    sent = after.content("a.js").decode()
    assert f'from ".{after.url("b.js").removeprefix("/static")}";' in sent
