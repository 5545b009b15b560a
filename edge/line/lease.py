"""Who may act for a room: one process at a time. Pure; ``lua/lease.lua`` gives it."""

import msgspec


class Lease(msgspec.Struct, frozen=True):
    """The right to act, until it passes on: whoever holds a later term holds it instead."""

    holder: str
    term: str
