"""A receiver of events: a small real server whose faults are ours to choose, and a check of signatures of its own."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

SECRET_BYTES = b"a-webhook-secret-of-tests-only!!"
SECRET = f"whsec_{base64.b64encode(SECRET_BYTES).decode()}"
_TOLERANCE_S = 300


class NotGenuine(Exception):
    """A delivery that Standard Webhooks tells receivers to refuse."""


def check(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Check a delivery as the text of Standard Webhooks says, sharing nothing with what signs it; raises NotGenuine."""
    try:
        name, moment, signatures = (headers[f"webhook-{part}"] for part in ("id", "timestamp", "signature"))
        age = now - int(moment)
    except (KeyError, ValueError):
        raise NotGenuine("a header is missing or malformed") from None
    if abs(age) > _TOLERANCE_S:
        raise NotGenuine("too old, or from the future")
    key = base64.b64decode(secret.partition("_")[2])
    expected = hmac.new(key, b"%s.%s.%s" % (name.encode(), moment.encode(), body), hashlib.sha256).digest()
    for versioned in signatures.split(" "):
        version, _, signature = versioned.partition(",")
        if version == "v1" and hmac.compare_digest(base64.b64decode(signature), expected):
            return
    raise NotGenuine("no signature is right")


@dataclass
class Delivery:
    """One POST, as it came."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        told: dict[str, Any] = msgspec.json.decode(self.body)
        return told


@dataclass
class Receiver:
    """Takes events; ``says``: the status it answers with. While it ``hangs`` it does not answer."""

    says: int = 204
    hangs: bool = False
    asked: int = 0
    taken: list[Delivery] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> Starlette:
        """The server."""
        return Starlette(routes=[Route("/events", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        self.asked += 1
        delivery = Delivery(dict(request.headers), await request.body())
        if self.hangs:
            await self.released.wait()
        if 200 <= self.says < 300:
            self.taken.append(delivery)
        return Response(status_code=self.says, headers={"location": "/events"} if self.says == 307 else None)

    @property
    def types(self) -> list[str]:
        """What was taken, in its order, each event once, as a receiver that goes by ids has it."""
        by_id = {each.event["id"]: each.event["type"].removeprefix("room.") for each in self.taken}
        return list(by_id.values())
