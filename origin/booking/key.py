"""The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header): quoted, as the draft has it, or bare."""

import hashlib
import re

from starlette.datastructures import Headers

from origin import errors
from shared.problem import Problem

HEADER = "Idempotency-Key"
LIFE_HOURS = 24
"""Published life: for this long the same key gets the same answer."""

_QUOTED = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,255})"')
_BARE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]{1,255}")
_ESCAPED = re.compile(r'\\(["\\])')


def read_key(headers: Headers) -> str:
    """Return the key.

    Raises:
        Problem: 400 ``idempotency_key_missing`` or ``idempotency_key_malformed``.
    """
    values = headers.getlist(HEADER)
    if not values:
        raise Problem(errors.IDEMPOTENCY_KEY_MISSING)
    text = values[0].strip()
    if len(values) == 1 and len(text) <= 600:
        quoted = _QUOTED.fullmatch(text)
        if quoted:
            key = _ESCAPED.sub(r"\1", quoted[1])
            if len(key) <= 255:
                return key
        elif _BARE.fullmatch(text):
            return text
    raise Problem(errors.IDEMPOTENCY_KEY_MALFORMED, "1 to 255 visible ASCII characters, in double quotes or bare")


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    """Return what a key is bound to: SHA-256 over method, path and body."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), body))).digest()
