"""The names of a room's keys in the store."""

from edge.line import scripts
from edge.line.room import RoomPlan
from edge.line.scripts import Script


class RoomKeys:
    """The names of a room's keys in the store. They share a hash tag, so that they lie on one node of a cluster."""

    def __init__(self, plan: RoomPlan) -> None:
        tag = f"vestibule:{{{plan.id}}}"
        self.room, self.log, self.lease = f"{tag}:room", f"{tag}:log", f"{tag}:governor"
        bitmaps = ("answered", "admitted", "left", "entered")
        self._lanes = [[f"{tag}:{lane.lane}:{name}" for name in bitmaps] for lane in plan.lanes]
        self._shared = [self.room, f"{tag}:calls", *(key for lane in self._lanes for key in lane)]

    def of(self, script: Script) -> list[str]:
        """Return the keys that a script is run on."""
        own = {scripts.CHANGE: [self.log], scripts.INSTALL: [self.log], scripts.GOVERN: [self.lease]}
        return self._shared + own.get(script, [])

    def left(self, lane: int) -> str:
        """Return the key of the bitmap of a lane's tickets that were given back."""
        return self._lanes[lane][2]
