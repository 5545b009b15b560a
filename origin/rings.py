"""The origin's key rings, each loaded once and shared, so that a rotation reaches all who use it."""

from dataclasses import dataclass

from shared.keys import KeyRing


@dataclass(frozen=True)
class Rings:
    """``admission`` verifies tokens, ``origin`` signs cookies and seals facts, ``person`` makes pseudonyms."""

    admission: KeyRing
    origin: KeyRing
    person: KeyRing
