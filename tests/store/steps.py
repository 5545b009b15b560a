"""What may happen to a line, in the tests that try any history of it."""

from dataclasses import dataclass

from edge.line.room import Setting


@dataclass(frozen=True)
class Sleep:
    """Nothing happens for a while."""

    us: int


@dataclass(frozen=True)
class Rush:
    """Everybody tries to go through, again and again, over both edges in turn."""

    rounds: int
    every_us: int


@dataclass(frozen=True)
class Set:
    """An operator changes settings."""

    edge: int
    change: dict[str, Setting]


@dataclass(frozen=True)
class Lose:
    """The store loses everything."""
