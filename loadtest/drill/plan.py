"""Who comes, when, from where, and what they will do: drawn before the doors open, the same for the same seed."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Literal

import msgspec

Leaving = Literal["", "silent", "says_so"]


class Home(msgspec.Struct, frozen=True):
    """Where a visitor lives: near a site that has supply."""

    region: str
    lat: float
    lng: float


class Person(msgspec.Struct, frozen=True):
    """One visitor.

    Args:
        arrives_s: seconds after the doors open.
        token: the bearer token.
        leaving: how they leave the line, or "" to stay; ``leaves_after`` is the share of the expected wait they stay.
        picks: a number in [0, 1): which of the slots shown they would like best.
        thinks_s: how long they look at the slots before they choose; others choose meanwhile.
        double_click: sends claims and bookings twice, as people do.
    """

    arrives_s: float
    token: str
    home: Home
    birth_date: date
    leaving: Leaving = ""
    leaves_after: float = 0
    picks: float = 0
    thinks_s: float = 0
    double_click: bool = False


class Plan(msgspec.Struct, frozen=True):
    """All that the crowd's process needs to know."""

    edge_url: str
    origin_url: str
    room: str
    rate_per_s: float
    spike_s: float
    deadline_s: float
    trail: str
    people: list[Person]


class Step(msgspec.Struct, frozen=True):
    """For a while, another share leaves: of those whose turn is from ``from_s`` on, in seconds, for ``for_s``."""

    no_show: float
    from_s: float
    for_s: float


def draw(
    *,
    visitors: int,
    spike_s: float,
    no_show: float,
    homes: Sequence[Home],
    tokens: Sequence[str],
    seed: int,
    rate_per_s: float = 50,
    step: Step | None = None,
) -> list[Person]:
    """Return the visitors in order of arrival.

    Exactly ``round(visitors · no_show)`` leave, and with a ``step`` so do the shares of those inside and outside of it.
    Whose turn is when is taken from the order of arrival, at ``rate_per_s`` of those who stay. Arrivals are densest at
    the opening and thin out to nothing at ``spike_s``: the density falls linearly.
    """
    random = Random(seed)
    stepped = _turns_within(step, visitors, no_show, rate_per_s) if step else range(0)
    others = [index for index in range(visitors) if index not in stepped]
    leavers = set(random.sample(others, round(len(others) * no_show)))
    if step:
        leavers |= set(random.sample(stepped, round(len(stepped) * step.no_show)))
    arrivals = sorted(spike_s * (1 - (1 - random.random()) ** 0.5) for _ in range(visitors))
    return [
        Person(
            arrives_s=arrives,
            token=tokens[index],
            home=random.choice(homes),
            birth_date=date(1935, 1, 1) + timedelta(days=random.randrange(15 * 365)),
            leaving=_leaving(index in leavers, random),
            leaves_after=random.uniform(0, 0.8),
            picks=random.random(),
            thinks_s=random.uniform(0, 3),
            double_click=random.random() < 0.05,
        )
        for index, arrives in enumerate(arrivals)
    ]


def _turns_within(step: Step, visitors: int, no_show: float, rate_per_s: float) -> range:
    """Return whose turn is within the step, when those who leave cost no time."""
    first = min(visitors, round(step.from_s * rate_per_s / (1 - no_show)))
    return range(first, min(visitors, first + round(step.for_s * rate_per_s / (1 - step.no_show))))


def _leaving(leaves: bool, random: Random) -> Leaving:
    if not leaves:
        return ""
    return "silent" if random.random() < 0.5 else "says_so"
