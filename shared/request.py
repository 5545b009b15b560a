"""A request of which much is read: a header is looked up at once, a body that is here is taken as it is."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Message, Receive


class Indexed(Headers):
    """Starlette's headers, which goes through all of them for each one that is asked for."""

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        super().__init__(scope=scope)
        self._first: Mapping[bytes, bytes] = dict(reversed(self._list))

    def __getitem__(self, key: str) -> str:
        return self._first[key.lower().encode("latin-1")].decode("latin-1")

    def get(self, key: str, default: Any = None) -> Any:
        value = self._first.get(key.lower().encode("latin-1"))
        return default if value is None else value.decode("latin-1")

    def __contains__(self, key: Any) -> bool:
        return key.lower().encode("latin-1") in self._first


class QuickRequest(Request):
    """Starlette's request in all but speed."""

    @property
    def headers(self) -> Headers:
        if not hasattr(self, "_headers"):
            self._headers = Indexed(self.scope)
        return self._headers

    async def body(self) -> bytes:
        if not hasattr(self, "_body") and not self._stream_consumed:
            message = await self._receive()
            if message["type"] == "http.request" and not message.get("more_body", False):
                self._body = message.get("body", b"")
            else:
                self._receive = _Again(message, self._receive)
        return await super().body()


class _Again:
    """Receives a message once more, and then what follows."""

    def __init__(self, message: Message, receive: Receive) -> None:
        self._message: Message | None = message
        self._then = receive

    async def __call__(self) -> Message:
        message, self._message = self._message, None
        return await self._then() if message is None else message
