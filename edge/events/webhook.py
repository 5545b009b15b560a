"""One address that is told of events by signed POSTs, as Standard Webhooks 1.0.0 (standardwebhooks.com) has it."""

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import httpx

Outcome = Literal["delivered", "refused", "unreachable", "timeout", "gone"]

TIMEOUT_S = 5.0
MIN_SECRET_BYTES = 24
_PREFIX = "whsec_"


class WebhookError(Exception):
    """A secret that cannot be used; the message names the fault, never the secret."""


@dataclass(frozen=True)
class Target:
    """Where events go, and the secrets they are signed with; neither is ever shown, for addresses carry secrets too."""

    url: str = field(repr=False)
    secrets: tuple[bytes, ...] = field(repr=False)

    @property
    def mark(self) -> str:
        """What stands for the address where it must not be read."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]


def load_secrets(path: Path) -> tuple[bytes, ...]:
    """Read secrets, one a line: ``whsec_`` and base64, or a text that is taken as it is. Events are signed with each.

    Raises:
        WebhookError: the file cannot be read, or holds none, or one that is malformed or short.
    """
    try:
        lines = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise WebhookError(f"cannot read the webhook's secret from {path}: {type(error).__name__}") from None
    if not lines:
        raise WebhookError(f"{path} holds no secret")
    return tuple(_secret(line, path) for line in lines)


def _secret(text: str, path: Path) -> bytes:
    try:
        encoded = text.startswith(_PREFIX)
        secret = base64.b64decode(text.removeprefix(_PREFIX), validate=True) if encoded else text.encode()
    except binascii.Error:
        raise WebhookError(f"{path}: what follows {_PREFIX} is not base64") from None
    if len(secret) < MIN_SECRET_BYTES:
        raise WebhookError(f"{path}: a secret is shorter than {MIN_SECRET_BYTES} bytes")
    return secret


def sign(secrets: Sequence[bytes], event_id: str, at: int, body: bytes) -> str:
    """Return the ``webhook-signature`` of a body sent at ``at`` (Unix seconds): one signature for each secret."""
    signed = f"{event_id}.{at}.".encode() + body
    digests = [hmac.digest(secret, signed, "sha256") for secret in secrets]
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


class Webhook:
    """A target, and how it is reached. An answer takes ``timeout_s`` at most; its body is not read."""

    def __init__(self, client: httpx.AsyncClient, target: Target, *, timeout_s: float = TIMEOUT_S) -> None:
        self._client = client
        self._target = target
        self._timeout_s = timeout_s
        self.mark = target.mark

    async def send(self, event_id: str, body: bytes, at: int) -> Outcome:
        """Send one event, signed as of ``at`` (Unix seconds), and return what came of it.

        2xx is ``delivered``, 410 is ``gone``: nothing more is wanted; all else, redirects too, is ``refused``.
        """
        headers = {
            "content-type": "application/json",
            "user-agent": "vestibule",
            "webhook-id": event_id,
            "webhook-timestamp": str(at),
            "webhook-signature": sign(self._target.secrets, event_id, at, body),
        }
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream("POST", self._target.url, content=body, headers=headers) as answer,
            ):
                return _outcome(answer.status_code)
        except (TimeoutError, httpx.TimeoutException):
            return "timeout"
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            return "unreachable"


def _outcome(status: int) -> Outcome:
    if status == 410:
        return "gone"
    return "delivered" if 200 <= status < 300 else "refused"
