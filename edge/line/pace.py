"""How often, and how many at a time, a process looks at its rooms: a thousand quiet ones must not crowd others out."""

import asyncio

REFRESH_S = 0.15
_SLOWEST_S = 0.6  # with the trip itself within the second in which a change has to show, and within the healing time
_ROOMS_AT_FULL_PACE = 100
_AT_ONCE = 32


class Pace:
    """Shared by all rooms of a process. Its own looks, not visitors' acts, take a ``turn`` each at the store."""

    def __init__(self) -> None:
        self.rooms = 0
        self.turn = asyncio.Semaphore(_AT_ONCE)  # each takes a connection, and the client has a hundred

    @property
    def every_s(self) -> float:
        """Seconds between two looks at a room."""
        return min(_SLOWEST_S, REFRESH_S * max(1.0, self.rooms / _ROOMS_AT_FULL_PACE))
