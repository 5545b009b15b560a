"""What the log tells of settings: by the names that the API gives them, in units that people read. Pure."""

from collections.abc import Mapping

import msgspec

from edge.line.logrow import Told
from edge.line.lottery import commitment
from edge.line.oplog import Entry, written
from edge.line.room import RoomPlan, Setting, planned
from edge.line.view import iso
from edge.register import Creation

_NAMES = {
    "rate": "rate_per_s",
    "floor": "floor_per_s",
    "prequeue": "prequeue_at",
    "opens": "opens_at",
    "closes": "closes_at",
    "bypass_rate": "bypass.rate_per_s",
    "bypass_burst": "bypass.burst",
}
_UNTOLD = {"reason", "seed", "held", "bypasses", "entries", "revoked", "revoked_at"}
"""What is told in another way, or not an operator's to change. The seed of a lottery is secret until the opening."""


def told(plan: RoomPlan, settings: Mapping[str, Setting]) -> dict[str, Told]:
    """Return settings, by the names of the room's fields, as the log tells them."""
    found: dict[str, Told] = {}
    for field, value in settings.items():
        index, _, name = field.rpartition(".")
        lane = f"lanes.{plan.lanes[int(index) - 1].lane}." if index else ""
        if name == "governor":
            found |= _bounds(str(value))
        elif name == "seed" and value:
            found["lottery_commitment"] = commitment(bytes.fromhex(str(value)))
        elif name not in _UNTOLD:
            found[lane + _NAMES.get(name, name)] = _value(name, value)
    return found


def creation_row(plan: RoomPlan, created: Creation) -> str:
    """Return the first row of a created room's log, the same on every edge."""
    after = told(plan, {name: value for name, value in planned(plan).settings.items() if value != ""})
    return written(Entry(created.actor, created.issuer, "room_created", created.why, {}, after, created.at))


def _value(name: str, value: Setting) -> Told:
    if _NAMES.get(name, "").endswith("_at"):
        return iso(int(value) / 1_000_000) if value else None
    return value


def _bounds(text: str) -> dict[str, Told]:
    bounds = msgspec.json.decode(text, type=dict[str, Told]) if text else {}
    return {f"governor.{name}": value for name, value in bounds.items()}
