"""Randomness comes in as an argument. This file is the only one that draws it."""

import binascii
import os
import random
from typing import Protocol
from uuid import UUID, uuid4

_TO_URL = bytes.maketrans(b"+/", b"-_")


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
        text = binascii.b2a_base64(os.urandom(size), newline=False)  # as secrets.token_urlsafe, in one step
        return text.translate(_TO_URL).rstrip(b"=").decode("ascii")

    def spread(self, low: float, high: float) -> float:
        return low + (high - low) * random.random()  # noqa: S311 - jitter is no secret
