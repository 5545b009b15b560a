"""Declared facts at rest: sealed for as long as their decision can be booked with, and hashed for ever.

They are bound to the decision by its reference: facts moved to another decision do not open. The hash is keyed, as a
birth date and a region alone could be guessed from a plain one.
"""

import hmac
from uuid import UUID

import msgspec

from origin.eligibility.person import Facts, encoded
from origin.sealing import Lost, Vault
from shared.ids import Ids
from shared.keys import KeyRing

_decode = msgspec.json.Decoder(Facts).decode


class FactsLost(Exception):
    """The facts cannot be opened any more: their key is gone, or they were altered."""


class FactSealer:
    """Seals, opens and hashes facts."""

    def __init__(self, origin_keys: KeyRing, person_keys: KeyRing, ids: Ids) -> None:
        self._vault = Vault(origin_keys, "facts", ids)
        self._hash_key = hmac.digest(person_keys.signing_key, b"vestibule:facts hash", "sha256")

    def seal(self, facts: Facts, ref: UUID) -> bytes:
        """Return ``kid "." nonce ciphertext``."""
        return self._vault.seal(encoded(facts), ref.bytes)

    def open(self, sealed: bytes, ref: UUID) -> Facts:
        """Return the facts.

        Raises:
            FactsLost: their key is gone, or they were altered or moved.
        """
        try:
            return _decode(self._vault.open(sealed, ref.bytes))
        except (Lost, ValueError, msgspec.DecodeError):
            raise FactsLost from None

    def hash(self, facts: Facts) -> bytes:
        """Return the keyed hash of the facts' canonical form."""
        return hmac.digest(self._hash_key, encoded(facts), "sha256")
