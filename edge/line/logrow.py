"""A row of a room's log, as operators read it. Pure."""

import msgspec

Told = str | int | float | bool | list[int] | None
"""What a row of the log tells of one setting. Times are ISO 8601, rates tokens per second."""


class LogRow(msgspec.Struct, frozen=True):
    """A change: who made it, when (ISO 8601, the store's clock), what it was and why.

    ``actor`` and ``issuer`` are the subject and the issuer of the bearer token. ``version`` is the one that the change
    gave the settings; 0 is the room's creation. ``before`` and ``after`` hold the changed settings by name; a rate that
    the governor had set says so in ``before``.
    """

    version: int
    at: str
    actor: str
    issuer: str
    what: str
    why: str
    before: dict[str, Told]
    after: dict[str, Told]


class LogPage(msgspec.Struct, frozen=True):
    """Rows of a room's log, newest first. ``next_before`` leads to the older ones, null where there are none."""

    rows: list[LogRow]
    next_before: int | None
