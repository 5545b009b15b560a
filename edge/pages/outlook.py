"""What the page for somebody in line shows, and what pages say besides a place: why nobody is called, and the like."""

from typing import Literal, NamedTuple

from edge.line.room import Held, Phase, Slowdown, is_unlikely
from edge.line.standing import Standing
from edge.line.view import View

Mode = Literal["entered", "waiting", "called", "admitted", "spent", "away"]


class Face(NamedTuple):
    """The switches of the page for somebody in line: all that decides how it is rendered, but for room and language."""

    state: Phase
    mode: Mode
    paced: bool = False
    code: bool = False
    opening: bool = False
    undrawn: bool = False
    lottery: bool = False
    drawn: bool = False
    why: Held | None = None
    unlikely: bool = False
    reason: Slowdown | None = None


def face(at: Standing, *, paced: bool, spent: bool, code: bool) -> Face:
    """Return the switches for somebody who stands there."""
    state, entry = at.state, at.entry
    mode: Mode = "spent" if spent else "waiting" if state == "left" else state
    return Face(
        at.room_state,
        mode,
        paced,
        code,
        at.opens_at is not None,
        False,
        entry is not None,
        bool(entry and at.place),
        at.why,
        at.outlook == "unlikely",
        at.wait_reason if at.wait and state == "waiting" else None,
    )


def notes(view: View) -> dict[str, object]:
    """Return the switches of a page for who might join."""
    picture = view.picture
    return {"why": picture.held or None, "unlikely": is_unlikely(picture.waiting, "waiting", picture)}
