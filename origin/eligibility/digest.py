"""What a decision is known by: a hash over all that was decided, put into its audit row in the same commit. Pure."""

import hashlib
from datetime import date
from uuid import UUID

import msgspec

_encode = msgspec.json.encode


class Decided(msgspec.Struct, frozen=True, array_like=True):
    """What is hashed, as a JSON array in this order: bytes as base64, ``branches`` as stored, without spaces."""

    ref: UUID
    programme: str
    person: bytes
    outcome: str
    version: int
    stands_for: int | None
    ruleset: str
    evaluator: str
    as_of: date
    products: list[str] | None
    dose: int | None
    inputs_hash: bytes
    branches: msgspec.Raw
    override: UUID | None = None


def digest(decided: Decided) -> str:
    """Return SHA-256 in hex."""
    return hashlib.sha256(_encode(decided)).hexdigest()
