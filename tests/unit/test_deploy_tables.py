"""Tables of commands: as wide as the terminal, whole, and harmless."""

import io
from datetime import UTC, datetime

from rich.console import Console, RenderableType

from deploy.tables import facts, moment, table


def printed(told: RenderableType, width: int = 40) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width).print(told)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_numbers_stand_on_the_right_and_words_on_the_left() -> None:
    assert printed(table(("Lane", "Waiting"), [("general", 7), ("passes", 1204)], numbers=("Waiting",))) == [
        "Lane     Waiting",
        "general        7",
        "passes      1204",
    ]


def test_what_is_too_long_for_the_terminal_is_folded_and_nothing_is_left_out() -> None:
    text = "a" * 100
    for told in (table(("Room", "Why"), [("demo", text)]), facts([("Why", text)])):
        lines = printed(told)
        assert max(map(len, lines)) <= 40
        assert sum(line.count("a") for line in lines) == 100


def test_what_somebody_wrote_moves_no_cursor_and_is_no_markup() -> None:
    text = "snow\x1b[2J [red]now[/]"
    for told in (table(("Why",), [(text,)]), facts([("Why", text)])):
        assert "snow\\x1b[2J [red]now[/]" in printed(told)[-1]


def test_a_moment_is_told_to_the_second() -> None:
    assert moment(datetime(2027, 3, 1, 9, 0, 30, 123, tzinfo=UTC)) == "2027-03-01 09:00:30"
