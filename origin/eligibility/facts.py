"""Declared facts at rest: sealed for as long as their decision can be booked with, and hashed for ever.

AES-256-GCM under a key of the origin's ring, bound to the decision by its reference: facts moved to another decision do
not open. The hash is keyed, as a birth date and a region alone could be guessed from a plain one.
"""

import hmac
from base64 import urlsafe_b64decode
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from origin.eligibility.person import Facts, encoded
from shared.ids import Ids
from shared.keys import KeyRing

_NONCE_BYTES = 12
_decode = msgspec.json.Decoder(Facts).decode


class FactsLost(Exception):
    """The facts cannot be opened any more: their key is gone, or they were altered."""


class FactSealer:
    """Seals, opens and hashes facts."""

    def __init__(self, origin_keys: KeyRing, person_keys: KeyRing, ids: Ids) -> None:
        self._ring = origin_keys
        self._hash_key = hmac.digest(person_keys.signing_key, b"vestibule:facts hash", "sha256")
        self._ids = ids
        self._ciphers: dict[str, AESGCM] = {}
        self._edition = origin_keys.edition

    def seal(self, facts: Facts, ref: UUID) -> bytes:
        """Return ``kid "." nonce ciphertext``."""
        kid = self._ring.current
        cipher = self._cipher(kid)
        assert cipher is not None
        nonce = urlsafe_b64decode(self._ids.secret(_NONCE_BYTES))
        return kid.encode() + b"." + nonce + cipher.encrypt(nonce, encoded(facts), ref.bytes)

    def open(self, sealed: bytes, ref: UUID) -> Facts:
        """Return the facts.

        Raises:
            FactsLost: their key is gone, or they were altered or moved.
        """
        kid, _, rest = sealed.partition(b".")
        cipher = self._cipher(kid.decode("ascii", "replace"))
        if cipher is None:
            raise FactsLost
        try:
            return _decode(cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], ref.bytes))
        except (InvalidTag, ValueError, msgspec.DecodeError):
            raise FactsLost from None

    def hash(self, facts: Facts) -> bytes:
        """Return the keyed hash of the facts' canonical form."""
        return hmac.digest(self._hash_key, encoded(facts), "sha256")

    def _cipher(self, kid: str) -> AESGCM | None:
        if self._edition != self._ring.edition:  # a key may be gone
            self._edition = self._ring.edition
            self._ciphers.clear()
        cipher = self._ciphers.get(kid)
        if cipher is None:
            key = self._ring.get(kid)
            if key is None:
                return None
            cipher = self._ciphers[kid] = AESGCM(hmac.digest(key, b"vestibule:facts", "sha256"))
        return cipher
