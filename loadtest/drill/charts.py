"""Geometry of the report's plots: numbers in, coordinates out. The template draws them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, log10

from loadtest.drill.waits import Waited

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
class Dot:
    """A point, where in the drawing's units, and whether it lies beyond what was promised."""

    x: float
    y: float
    is_beyond: bool


@dataclass(frozen=True)
class Plot:
    """One plot. ``area`` and ``steps`` are SVG paths, or "" where there are none; ``bars`` behind ``dots`` are pale.

    ``steps_text`` says what the steps are, and ``dots_text`` what bars and dots are.
    """

    title: str
    summary: str
    bars: Sequence[Bar]
    area: str
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    limit: Tick | None
    steps: str = ""
    steps_text: str = ""
    dots: Sequence[Dot] = ()
    dots_text: str = ""
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    top: float = _TOP
    bottom: float = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Level:
    """Means over stretches of ``each_s`` seconds, the first of which begins at second ``from_s``."""

    values: Sequence[float]
    from_s: float
    each_s: float
    text: str


def bars(
    title: str, unit: str, values: Sequence[int], *, limit: float | None = None, level: Level | None = None
) -> Plot:
    """Return a plot with one bar per second, and lines at ``limit`` and at a ``level``."""
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
    plot = Plot(title, _summary(values, unit), drawn, "", _seconds(len(values)), _values(top), line)
    return replace(plot, steps=_steps(level, step, top), steps_text=level.text) if level else plot


def area(title: str, unit: str, values: Sequence[int]) -> Plot:
    """Return a plot of a level, one value per second."""
    top = _round_up(max([*values, 1]))
    step = _INNER_WIDTH / max(len(values), 1)
    points = [f"{_LEFT + (index + 1) * step:.2f},{_y(value, top):.2f}" for index, value in enumerate(values)]
    floor_y = f"{_y(0, top):.2f}"
    end = f"{_LEFT + len(values) * step:.2f},{floor_y}"
    path = f"M{_LEFT:.2f},{floor_y} L{' L'.join(points)} L{end} Z" if points else ""
    return Plot(title, _summary(values, unit), [], path, _seconds(len(values)), _values(top), None)


def intervals(title: str, known: Sequence[Waited]) -> Plot:
    """Return a plot of visitors side by side: the interval shown first as a pale bar, the real wait as a dot."""
    top = _round_up(max([*(max(one.p90_s, one.real_s) for one in known), 1]))
    step = _INNER_WIDTH / max(len(known), 1)
    drawn, dots = [], []
    for index, one in enumerate(known):
        x, upper, lower = _LEFT + index * step, _y(one.p90_s, top), _y(one.p50_s, top)
        text = f"shown {one.p50_s:g} to {one.p90_s:g} s, called after {one.real_s:.1f} s"
        drawn.append(Bar(round(x, 2), round(upper, 2), round(step * 0.8, 2), round(max(lower - upper, 2.0), 2), text))
        dots.append(Dot(round(x + step * 0.4, 2), round(_y(one.real_s, top), 2), one.real_s > one.p90_s))
    late = sum(dot.is_beyond for dot in dots)
    summary = f"of {len(known):,} visitors drawn, {late:,} were called later than shown"
    ends = [Tick(_LEFT + 30, "came first"), Tick(WIDTH - _RIGHT - 30, "came last")]
    if not known:
        summary, ends = "nobody was shown a wait", []
    text = (
        "Bar: the interval shown, half of all within its lower end and nine in ten within its upper. "
        "Dot: the call, in red where it came later."
    )
    return replace(Plot(title, summary, drawn, "", ends, _values(top, " s"), None), dots=dots, dots_text=text)


def _steps(level: Level, step: float, top: float) -> str:
    width = level.each_s * step
    lines = (
        f"M{_LEFT + level.from_s * step + index * width:.2f},{_y(value, top):.2f} h{width:.2f}"
        for index, value in enumerate(level.values)
    )
    return " ".join(lines)


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


def _values(top: float, unit: str = "") -> list[Tick]:
    return [Tick(round(_y(top * part / 4, top), 2), f"{top * part / 4:,.10g}{unit}") for part in range(5)]
