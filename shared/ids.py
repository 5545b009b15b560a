"""Randomness comes in as an argument. This file is the only one that draws it."""

import random
import secrets
from typing import Protocol
from uuid import UUID, uuid4


class Ids(Protocol):
    """Unguessable identifiers and spread."""

    def uuid(self) -> UUID:
        """Return a random (version 4) UUID."""
        ...

    def secret(self, size: int = 16) -> str:
        """Return ``size`` random bytes as URL-safe text without padding."""
        ...

    def spread(self, low: float, high: float) -> float:
        """Return a number in [low, high), for jitter; not for secrets."""
        ...


class SystemIds:
    """The operating system's randomness."""

    def uuid(self) -> UUID:
        return uuid4()

    def secret(self, size: int = 16) -> str:
        return secrets.token_urlsafe(size)

    def spread(self, low: float, high: float) -> float:
        return random.uniform(low, high)  # noqa: S311 - jitter is no secret
