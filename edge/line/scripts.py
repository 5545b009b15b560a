"""The Lua files of ``lua/``, ready to run: each is one atomic act of the store, documented in its own head."""

from collections.abc import Awaitable, Sequence
from hashlib import sha1
from pathlib import Path
from typing import cast

from redis.exceptions import NoScriptError

from edge.line.store import Store

_FOLDER = Path(__file__).parent / "lua"
_PRELUDE = ("include/room.lua", "include/meters.lua")


class Script:
    """One script; the store caches it by its digest and is sent the text only where it does not know it."""

    def __init__(self, name: str, *, on_room: bool = True) -> None:
        self.name = name
        parts = [*(_PRELUDE if on_room else ()), f"{name}.lua"]
        self._text = "".join((_FOLDER / part).read_text(encoding="utf-8") for part in parts)
        self._digest = sha1(self._text.encode(), usedforsecurity=False).hexdigest()

    async def run(self, client: Store, keys: Sequence[str], arguments: Sequence[str | int | float]) -> bytes:
        """Run it on ``keys`` and return its reply."""
        try:
            reply = client.evalsha(self._digest, len(keys), *keys, *arguments)
            return await cast("Awaitable[bytes]", reply)
        except NoScriptError:
            reply = client.eval(self._text, len(keys), *keys, *arguments)
            return await cast("Awaitable[bytes]", reply)


INSTALL = Script("install")
JOIN = Script("join")
LOOK = Script("look")
CLAIM = Script("claim")
LEAVE = Script("leave")
CHANGE = Script("change")
LEASE = Script("lease", on_room=False)
GOVERN = Script("govern")
SPEND = Script("spend", on_room=False)
UNSPEND = Script("unspend", on_room=False)
OUTBOX = Script("outbox", on_room=False)
TELL = Script("tell", on_room=False)
SETTLE = Script("settle", on_room=False)
REGISTER = Script("register", on_room=False)
RESTORE = Script("restore", on_room=False)
