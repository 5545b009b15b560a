"""What the browser keeps for us without being able to read it: encrypted cookies.

AES-256-GCM under a key of the origin's ring. The purpose is mixed into the key, the time of ending is part of the
content: a value moved to another purpose, altered or too old opens as nothing.
"""

import binascii
import hmac
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Generic, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.clock import Clock
from shared.ids import Ids
from shared.keys import KeyRing

MAX_COOKIE_LENGTH = 3_800  # browsers keep 4,096 bytes with name and attributes
_MAX_CONTENT_LENGTH = 16_384
_NONCE_BYTES = 12

T = TypeVar("T")


class Box(Generic[T]):
    """Seals and opens values of one type for one purpose."""

    def __init__(self, form: type[T], ring: KeyRing, purpose: str, clock: Clock, ids: Ids) -> None:
        self._decoder = msgspec.json.Decoder(tuple[int, form])  # type: ignore[valid-type]  # msgspec reads it at run time
        self._ring = ring
        self._purpose = b"vestibule:box:" + purpose.encode()
        self._clock = clock
        self._ids = ids

    def seal(self, value: T, *, life_s: int) -> str:
        """Return the cookie value that holds ``value`` for ``life_s`` seconds.

        Raises:
            ValueError: it is too large for a cookie.
        """
        kid = self._ring.current
        nonce = urlsafe_b64decode(self._ids.secret(_NONCE_BYTES))
        content = zlib.compress(msgspec.json.encode((int(self._clock.unix()) + life_s, value)), 9)
        sealed = nonce + self._cipher(self._ring.signing_key).encrypt(nonce, content, kid.encode())
        text = f"{kid}.{urlsafe_b64encode(sealed).decode().rstrip('=')}"
        if len(text) > MAX_COOKIE_LENGTH:
            raise ValueError("too large for a cookie")
        return text

    def open(self, text: str) -> T | None:
        """Return what the cookie holds; None where there is nothing that can be trusted now."""
        kid, _, body = text.partition(".")
        key = self._ring.get(kid)
        if key is None or len(text) > MAX_COOKIE_LENGTH:
            return None
        try:
            raw = urlsafe_b64decode(body + "=" * (-len(body) % 4))
            content = self._cipher(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], kid.encode())
            until, value = self._decoder.decode(zlib.decompressobj().decompress(content, _MAX_CONTENT_LENGTH))
        except (InvalidTag, binascii.Error, ValueError, zlib.error, msgspec.DecodeError):
            return None
        opened: T = value
        return opened if self._clock.unix() < until else None

    def _cipher(self, key: bytes) -> AESGCM:
        return AESGCM(hmac.digest(key, self._purpose, "sha256"))
