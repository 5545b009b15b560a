"""What is drawn on the rules page: which version was in force when, and how much a candidate would change. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from origin.eligibility.history import Move, held
from origin.eligibility.version_models import Difference, ShadowReport

WIDTH = 1000
_LEAST_WIDTH = 6
_MOST_ROWS = 12
_LEAST = timedelta(minutes=1)


@dataclass(frozen=True)
class Stretch:
    """A version in force, from ``x`` for ``width`` of ``WIDTH``; None: a region under the programme's rules."""

    version: int | None
    x: int
    width: int
    since: datetime


@dataclass(frozen=True)
class Row:
    """The stretches of one pointer; ``region`` None is the programme's."""

    region: str | None
    stretches: list[Stretch]


@dataclass(frozen=True)
class Timeline:
    """What was in force when, from ``begins`` to ``ends``."""

    begins: datetime
    ends: datetime
    rows: list[Row]


def timeline(moves: Sequence[Move], now: datetime) -> Timeline | None:
    """Return what was in force when; None where nothing ever was."""
    active = [move for move in moves if move.act in {"activated", "rolled_back", "retired"}]
    regions = sorted({move.region for move in active}, key=lambda region: region or "")
    came = {region: held([move for move in active if move.region == region], now) for region in regions}
    came = {region: each for region, each in came.items() if each}
    if not came:
        return None
    begins = min(each[0].since for each in came.values())
    ends = max(now, begins + _LEAST)
    return Timeline(begins, ends, [Row(region, _stretches(each, begins, ends)) for region, each in came.items()])


def _stretches(came: Sequence[Move], begins: datetime, ends: datetime) -> list[Stretch]:
    whole = (ends - begins) / WIDTH
    until = [move.since for move in came[1:]] + [ends]
    return [
        Stretch(
            move.version,
            min(WIDTH - _LEAST_WIDTH, int((move.since - begins) / whole)),
            max(_LEAST_WIDTH, int((end - move.since) / whole)),
            move.since,
        )
        for move, end in zip(came, until, strict=True)
    ]


@dataclass(frozen=True)
class Bar:
    """Decisions that would come out otherwise; ``width`` of ``WIDTH``, the most of them being the whole."""

    difference: Difference
    width: int


@dataclass(frozen=True)
class Compared:
    """A shadow report, drawn. ``same``: how much of ``WIDTH`` comes out the same; ``share``: per cent that does not."""

    report: ShadowReport
    same: int
    share: float
    bars: list[Bar]
    more: int


def compared(report: ShadowReport) -> Compared:
    """Return a shadow report, drawn."""
    most = max((each.decisions for each in report.differences), default=1)
    different = report.different / report.compared if report.compared else 0.0
    width = 0 if not report.different else max(_LEAST_WIDTH, round(WIDTH * different))
    return Compared(
        report,
        same=WIDTH - width,
        share=round(100 * different, 1),
        bars=[Bar(each, max(_LEAST_WIDTH, WIDTH * each.decisions // most)) for each in report.differences[:_MOST_ROWS]],
        more=max(0, len(report.differences) - _MOST_ROWS),
    )
