"""The register: the rooms that operators created while the edges run, in the store and, of each edge, on disk.

A plan is written once and never edited: what changes of a room are its settings, which are kept with its line.
"""

from collections.abc import Mapping
from typing import Literal, cast

import msgspec
from pydantic import ValidationError
from redis.exceptions import RedisClusterException, RedisError

from edge.line import scripts
from edge.line.line import Counting, StoreUnavailable
from edge.line.room import RoomPlan
from edge.line.store import Store

MOST_ROOMS = 1_000
_KEY = "vestibule:rooms"
_VERSION = b"_version"

Outcome = Literal["created", "exists", "full", "healing", "restored"]
Entries = dict[str, bytes]
"""Entries of the register by room, as they are written: what an edge does not understand it carries all the same."""


class Creation(msgspec.Struct, frozen=True):
    """Who created a room, when (Unix seconds) and why; ``issuer`` of the bearer token that said so."""

    at: float
    actor: str
    why: str
    issuer: str = ""


class Entry(msgspec.Struct, frozen=True):
    """A room on the register. ``plan`` holds what differs from the defaults, so that older edges understand it too."""

    v: Literal[1]
    plan: msgspec.Raw
    created: Creation


class Unreadable(Exception):
    """An entry that this version does not understand; the message says why."""


def written(plan: RoomPlan, created: Creation) -> bytes:
    """Return the entry of a room."""
    return msgspec.json.encode(Entry(1, msgspec.Raw(plan.model_dump_json(exclude_defaults=True).encode()), created))


def read(room: str, entry: bytes) -> tuple[RoomPlan, Creation]:
    """Return what an entry says of the room; raises Unreadable."""
    try:
        found = msgspec.json.decode(entry, type=Entry)
        plan = RoomPlan.model_validate_json(bytes(found.plan))
    except (msgspec.MsgspecError, ValidationError, UnicodeDecodeError) as error:
        raise Unreadable(str(error)) from error
    if plan.id != room:
        raise Unreadable(f"it is of the room {plan.id}")
    return plan, found.created


class Register:
    """The register in the store; every method raises StoreUnavailable. ``now_us`` is for tests.

    Concurrency: any number of edges may add rooms; of several with one id the first is taken. Durability: none is
    needed, for every edge carries the entries and puts them back.
    """

    def __init__(self, client: Store, counting: Counting, *, heal_s: float) -> None:
        self._client = client
        self._counting = counting
        self._heal_us = round(heal_s * 1_000_000)

    async def version(self) -> str:
        """Return what rises with every addition; empty where the store has no register, or lost it."""
        found = await self._ask("HGET", _VERSION)
        return found.decode() if isinstance(found, bytes) else ""

    async def entries(self) -> tuple[str, Entries]:
        """Return the version and all rooms."""
        found = cast("dict[bytes, bytes]", await self._ask("HGETALL"))
        version = found.get(_VERSION, b"").decode()
        return version, {name.decode(): entry for name, entry in found.items() if not name.startswith(b"_")}

    async def create(self, room: str, entry: bytes, now_us: int | None = None) -> Outcome:
        """Add a room, unless its id is taken, there are too many, or the register was lost a moment ago."""
        return await self._run("create", {room: entry}, now_us)

    async def restore(self, entries: Mapping[str, bytes], now_us: int | None = None) -> None:
        """Put back what the store does not have; with nothing to put back it begins the register."""
        await self._run("restore", entries, now_us)

    async def _run(self, act: str, entries: Mapping[str, bytes], now_us: int | None) -> Outcome:
        rooms = [part for name, entry in entries.items() for part in (name, entry.decode())]
        arguments = ["" if now_us is None else now_us, act, self._heal_us, MOST_ROOMS, *rooms]
        try:
            reply = await scripts.REGISTER.run(self._client, [_KEY], arguments)
        except (RedisError, RedisClusterException, OSError) as error:
            raise self._failed(error) from error
        return cast("Outcome", reply.decode())

    async def _ask(self, command: str, *arguments: bytes) -> object:
        try:
            return await self._client.execute_command(command, _KEY, *arguments)
        except (RedisError, RedisClusterException, OSError) as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> StoreUnavailable:
        self._counting.store_failed("register")
        return StoreUnavailable(type(error).__name__)
