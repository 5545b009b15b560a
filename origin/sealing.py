"""What must not be read by whoever reads the database: sealed, and bound to where it lies.

AES-256-GCM under a key of the origin's ring. The purpose is mixed into the key; what is bound (an id) is authenticated:
a value that was moved to another row or purpose, or altered, does not open.
"""

import hmac
from base64 import urlsafe_b64decode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.ids import Ids
from shared.keys import KeyRing

_NONCE_BYTES = 12


class Lost(Exception):
    """It cannot be opened any more: its key is gone, or it was altered or moved."""


class Vault:
    """Seals and opens what is kept for one purpose."""

    def __init__(self, ring: KeyRing, purpose: str, ids: Ids) -> None:
        self._ring = ring
        self._purpose = b"vestibule:" + purpose.encode()
        self._ids = ids
        self._ciphers: dict[str, AESGCM] = {}
        self._edition = ring.edition

    def seal(self, content: bytes, bound: bytes) -> bytes:
        """Return ``kid "." nonce ciphertext``."""
        kid = self._ring.current
        cipher = self._cipher(kid)
        assert cipher is not None
        nonce = urlsafe_b64decode(self._ids.secret(_NONCE_BYTES))
        return kid.encode() + b"." + nonce + cipher.encrypt(nonce, content, bound)

    def open(self, sealed: bytes, bound: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            Lost: its key is gone, or it was altered or moved.
        """
        kid, _, rest = sealed.partition(b".")
        cipher = self._cipher(kid.decode("ascii", "replace"))
        if cipher is None:
            raise Lost
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], bound)
        except (InvalidTag, ValueError):
            raise Lost from None

    def is_current(self, sealed: bytes) -> bool:
        """Return whether something is sealed under the key that seals now; if not, seal it again while it opens."""
        return sealed.partition(b".")[0] == self._ring.current.encode()

    def _cipher(self, kid: str) -> AESGCM | None:
        if self._edition != self._ring.edition:  # a key may be gone
            self._edition = self._ring.edition
            self._ciphers.clear()
        cipher = self._ciphers.get(kid)
        if cipher is None:
            key = self._ring.get(kid)
            if key is None:
                return None
            cipher = self._ciphers[kid] = AESGCM(hmac.digest(key, self._purpose, "sha256"))
        return cipher
