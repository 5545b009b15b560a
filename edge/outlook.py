"""What the pages say besides somebody's place: why nobody is called, and whether waiting is likely to be worth it."""

from edge.room import is_unlikely
from edge.standing import Standing
from edge.view import View


def notes(seen: Standing | View | None) -> dict[str, object]:
    """Return the switches of a page for somebody in line, for who might join (a view), or with nothing known."""
    match seen:
        case Standing():
            return {"why": seen.why, "unlikely": seen.outlook == "unlikely"}
        case View(picture=picture):
            return {"why": picture.held or None, "unlikely": is_unlikely(picture.waiting, "waiting", picture)}
        case None:
            return {"why": None, "unlikely": False}
