"""How long a turn lasts: the admission session that begins with the exchange, and its extensions. Pure.

WCAG 2.2, success criterion 2.2.1 (Timing Adjustable): whoever needs longer gets it by one press, at least ten times.
"""

from dataclasses import dataclass
from typing import Literal

import msgspec


class AdmissionSession(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the admission cookie carries. ``since`` and ``exp`` are in Unix seconds; ``extended``: how often it was."""

    v: Literal[1]
    kid: str
    room: str
    id: str
    since: int
    exp: int
    extended: int


@dataclass(frozen=True)
class Terms:
    """What a session gets: ``session_s`` seconds, as many again with each extension, ``longest_s`` in all."""

    session_s: int
    extensions: int
    longest_s: int

    def begin(self, kid: str, room: str, id_: str, now: float) -> AdmissionSession:
        """Return the session of an admission that was exchanged at ``now`` (Unix seconds)."""
        since = int(now)
        return AdmissionSession(v=1, kid=kid, room=room, id=id_, since=since, exp=since + self.session_s, extended=0)

    def extend(self, kid: str, session: AdmissionSession) -> AdmissionSession | None:
        """Return the session with one extension more, or None where it has had all that it gets.

        The length is added to the end, not to the moment of asking: asking early loses nothing, and the same cookie
        sent twice, or kept and sent again, gives the same end.
        """
        exp = min(session.exp + self.session_s, session.since + self.longest_s)
        if session.extended >= self.extensions or exp <= session.exp:
            return None
        return msgspec.structs.replace(session, kid=kid, exp=exp, extended=session.extended + 1)

    def left(self, session: AdmissionSession) -> int:
        """Return how many extensions would still make it longer."""
        by_time = -(-(session.since + self.longest_s - session.exp) // self.session_s)
        return max(0, min(self.extensions - session.extended, by_time))
