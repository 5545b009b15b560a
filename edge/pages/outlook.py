"""What the pages say besides somebody's place: why nobody is called, why it takes longer, whether it is worth it."""

from edge.line.room import is_unlikely
from edge.line.standing import Standing
from edge.line.view import View


def notes(seen: Standing | View | None) -> dict[str, object]:
    """Return the switches of a page for somebody in line, for who might join (a view), or with nothing known."""
    match seen:
        case Standing():
            slower = seen.wait_reason if seen.state == "waiting" and seen.wait else None
            return {"why": seen.why, "unlikely": seen.outlook == "unlikely", "reason": slower}
        case View(picture=picture):
            return {"why": picture.held or None, "unlikely": is_unlikely(picture.waiting, "waiting", picture)}
        case None:
            return {"why": None, "unlikely": False, "reason": None}
