"""What the pages say of a lottery to the holder of an entry: its fingerprint, and what the draw made of the entry."""

from edge.line.standing import Standing
from edge.line.view import View
from shared.web import words

_SHORT = 8


def values(at: Standing, view: View, language: str) -> dict[str, object]:
    """Return the entry as people read it and as a program takes it, its lane, and the fingerprint."""
    lottery = view.status.lottery
    fingerprint = lottery.commitment if lottery else ""
    return {
        "entry": words.number(at.entry or 0, language),
        "entry_plain": at.entry,
        "lane": at.lane,
        "commitment": fingerprint,
        "commitment_short": f"{fingerprint[:_SHORT]}…",
    }
