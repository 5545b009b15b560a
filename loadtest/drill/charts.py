"""Geometry of the report's plots: numbers in, coordinates out. The template draws them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

WIDTH, HEIGHT = 760, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 14, 30
_INNER_WIDTH = WIDTH - _LEFT - _RIGHT
_INNER_HEIGHT = HEIGHT - _TOP - _BOTTOM
_TICKS = 6


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, in the drawing's units, and what it says."""

    at: float
    text: str


@dataclass(frozen=True)
class Bar:
    """A rectangle and what it says to somebody who points at it."""

    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True)
class Plot:
    """One plot over time. ``area`` is an SVG path, or "" where ``bars`` are drawn."""

    title: str
    summary: str
    bars: Sequence[Bar]
    area: str
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    limit: Tick | None
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    top: float = _TOP
    bottom: float = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


def bars(title: str, unit: str, values: Sequence[int], *, limit: float | None = None) -> Plot:
    """Return a plot with one bar per second, and a line at ``limit``."""
    top = _round_up(max([*values, limit or 0, 1]))
    step = _INNER_WIDTH / max(len(values), 1)
    drawn = [
        Bar(
            x=round(_LEFT + index * step, 2),
            y=round(_y(value, top), 2),
            width=round(max(step - min(1.5, step / 4), 0.5), 2),
            height=round(_y(0, top) - _y(value, top), 2),
            text=f"second {index}: {value:,} {unit}",
        )
        for index, value in enumerate(values)
        if value
    ]
    line = None if limit is None else Tick(round(_y(limit, top), 2), f"rate {limit:g}")
    return Plot(title, _summary(values, unit), drawn, "", _seconds(len(values)), _values(top), line)


def area(title: str, unit: str, values: Sequence[int]) -> Plot:
    """Return a plot of a level, one value per second."""
    top = _round_up(max([*values, 1]))
    step = _INNER_WIDTH / max(len(values), 1)
    points = [f"{_LEFT + (index + 1) * step:.2f},{_y(value, top):.2f}" for index, value in enumerate(values)]
    floor_y = f"{_y(0, top):.2f}"
    end = f"{_LEFT + len(values) * step:.2f},{floor_y}"
    path = f"M{_LEFT:.2f},{floor_y} L{' L'.join(points)} L{end} Z" if points else ""
    return Plot(title, _summary(values, unit), [], path, _seconds(len(values)), _values(top), None)


def _summary(values: Sequence[int], unit: str) -> str:
    if not any(values):
        return f"no {unit}"
    peak = max(values)
    return f"at most {peak:,} {unit}, in second {values.index(peak)}, over {len(values)} seconds"


def _y(value: float, top: float) -> float:
    return _TOP + _INNER_HEIGHT * (1 - value / top)


def _round_up(value: float) -> float:
    """Return the next number of the form 1, 2, 5 or 10 times a power of ten."""
    power = 10.0 ** floor(log10(value))
    return next((factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= value), 10 * power)


def _seconds(count: int) -> list[Tick]:
    step = _INNER_WIDTH / max(count, 1)
    every = max(1, ceil(_round_up(max(count, 1) / _TICKS)))
    return [Tick(round(_LEFT + second * step, 2), f"{second} s") for second in range(0, count + 1, every)]


def _values(top: float) -> list[Tick]:
    return [Tick(round(_y(top * part / 4, top), 2), f"{top * part / 4:,.10g}") for part in range(5)]
