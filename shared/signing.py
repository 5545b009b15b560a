"""Signed values that a visitor carries: one format for tickets, admission tokens and session cookies.

``base64url(json(payload)) + "." + base64url(HMAC-SHA-256)``. The payload names its key (``kid``); the purpose is mixed
into the key, so that a value signed for one purpose is never valid for another.
"""

import binascii
import hashlib
import hmac
from typing import Generic, Literal, Protocol, TypeVar

import itsdangerous
import msgspec

from shared.keys import KeyRing

MAX_SIGNED_LENGTH = 2048


SignatureFault = Literal["malformed", "unknown_key", "bad_signature"]


class SignatureRefused(Exception):
    """A carried value that cannot be trusted."""

    def __init__(self, reason: SignatureFault) -> None:
        super().__init__(reason)
        self.reason: SignatureFault = reason


class HasKid(Protocol):
    """Every signed payload names the key that signed it."""

    @property
    def kid(self) -> str: ...


P = TypeVar("P", bound=HasKid)


_encode = msgspec.json.Encoder().encode
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_PADDING = b"=="  # enough for every length; what is too much is ignored
_INNER, _OUTER = (bytes(byte ^ mask for byte in range(256)) for mask in (0x36, 0x5C))  # RFC 2104, 2


def _encode64(raw: bytes) -> bytes:
    return binascii.b2a_base64(raw, newline=False).translate(_TO_URL).rstrip(b"=")


def _decode64(text: bytes) -> bytes:
    return binascii.a2b_base64(text.translate(_FROM_URL) + _PADDING)


class _Signer(itsdangerous.Signer):
    """HMAC-SHA-256 in itsdangerous' form. Every poll of everybody is verified, so the key is taken in only once: into
    the two hashes that an HMAC is made of (RFC 2104, 4).
    """

    def __init__(self, key: bytes) -> None:
        super().__init__(key, key_derivation="none", digest_method=hashlib.sha256)
        block = key.ljust(hashlib.sha256().block_size, b"\0")
        self._inner = hashlib.sha256(block.translate(_INNER))
        self._outer = hashlib.sha256(block.translate(_OUTER))

    def get_signature(self, value: str | bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(value if isinstance(value, bytes) else value.encode())
        outer.update(inner.digest())
        return _encode64(outer.digest())


class Sealer(Generic[P]):
    """Signs and opens payloads of one type for one purpose. Pure: no clock, no I/O."""

    def __init__(self, payload_type: type[P], ring: KeyRing, purpose: str) -> None:
        self._decoder = msgspec.json.Decoder(payload_type)
        self._ring = ring
        self._purpose = purpose.encode()
        self._signers: dict[str, _Signer] = {}
        self._edition = ring.edition

    @property
    def kid(self) -> str:
        """The identifier of the key that signs now; put it into the payload."""
        return self._ring.current

    def seal(self, payload: P) -> str:
        """Return the signed text of ``payload``, whose ``kid`` must be in the ring."""
        signer = self._signer(payload.kid)
        if signer is None:
            raise KeyError(payload.kid)
        body = _encode64(_encode(payload))
        return (body + b"." + signer.get_signature(body)).decode("ascii")

    def open(self, text: str) -> P:
        """Return the payload of a signed text.

        Raises:
            SignatureRefused: it is malformed, names an unknown key, or was altered.
        """
        if len(text) > MAX_SIGNED_LENGTH or not text.isascii():
            raise SignatureRefused("malformed")
        body, dot, signature = text.encode("ascii").partition(b".")
        if not dot:
            raise SignatureRefused("malformed")
        try:
            payload = self._decoder.decode(_decode64(body))
        except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError):
            raise SignatureRefused("malformed") from None
        signer = self._signer(payload.kid)
        if signer is None:
            raise SignatureRefused("unknown_key")
        if not hmac.compare_digest(signer.get_signature(body), signature):  # as text: one spelling, no slack bits
            raise SignatureRefused("bad_signature")
        return payload

    def _signer(self, kid: str) -> _Signer | None:
        if self._edition != self._ring.edition:  # a key may be gone
            self._edition = self._ring.edition
            self._signers.clear()
        signer = self._signers.get(kid)
        if signer is None:
            key = self._ring.get(kid)
            if key is None:
                return None
            derived = hmac.digest(key, b"vestibule:" + self._purpose, "sha256")
            signer = _Signer(derived)
            self._signers[kid] = signer
        return signer
