"""How long it takes, as an interval, and when to ask again. Pure: numbers in, numbers out."""

import math

import msgspec

_Z90 = 1.2816  # of the normal distribution
_SLACK_S = 5  # the line moves in steps: people are called as others come
_SOONEST_S = 2.0
_LATEST_S = 60.0
_POLLS_PER_S = 5_000.0
_PACED_AT_MOST_S = 30
_PAUSED_S = 5.0


class Wait(msgspec.Struct, frozen=True):
    """Seconds until the call: half of all are called within ``p50_s``, nine in ten within ``p90_s``."""

    p50_s: int
    p90_s: int


def wait(ahead: int, *, pace_per_s: float, least_per_s: float, starts_in_s: float = 0.0) -> Wait | None:
    """Estimate the wait of somebody with ``ahead`` people in front; None where nobody is ever called.

    Guarantee: with the same pace and the same least, and less or as many people ahead, the interval does not grow.

    Args:
        pace_per_s: calls per second as they are measured, counting on people who do not come.
        least_per_s: what the line slows to should everybody come from now on: the upper end. Near the front chance
            matters more.
        starts_in_s: until people are called at all.
    """
    if pace_per_s <= 0 or least_per_s <= 0:
        return None
    turn = ahead + 1
    late, latest = (turn + _Z90 * math.sqrt(turn)) / pace_per_s, turn / least_per_s
    late = max(late, latest)
    return Wait(math.ceil(starts_in_s + turn / pace_per_s), math.ceil(starts_in_s + late + _SLACK_S))


def poll_after_s(expected: Wait | None, *, waiting: int, spread: float) -> float:
    """Seconds until the visitor should ask again.

    A third of the likely wait, so that nobody sleeps through the call even when the line speeds up to three times;
    between 2 s and a minute; and so seldom that a crowd of ``waiting`` people asks about 5,000 times a second in all.

    Args:
        spread: around 1, for jitter: people who arrived together do not ask together.
    """
    crowd = waiting / _POLLS_PER_S
    if expected is None:
        wished, soonest = crowd, _PAUSED_S
    else:
        wished, soonest = expected.p50_s / 3, _SOONEST_S
        if crowd > wished:
            wished = min(crowd, wished * 2)
    if wished < soonest:
        wished = soonest
    elif wished > _LATEST_S:
        wished = _LATEST_S
    return round(wished * spread, 1)


def retry_after_s(backlog: int, *, rate_per_s: float, open_now: bool, spread: float) -> int:
    """Whole seconds after which a called visitor should try again.

    By then a token is there for each of the ``backlog``, or half a minute has passed. Each is sent away for a part of
    that: were all told the same, a herd would come back as a herd, and tokens would go to nobody in between.

    Args:
        spread: between 0 and 1.
    """
    if not open_now:
        return int(_PAUSED_S)
    return max(1, math.ceil(min(_PACED_AT_MOST_S, backlog / rate_per_s) * spread))


def until_draw_s(starts_in_s: float, *, spread: float) -> float:
    """Seconds until somebody whose place is still to be drawn should ask again.

    A minute at most; those who wait for the draw ask within ten seconds after it, not all in the same one.

    Args:
        spread: between 0 and 1.
    """
    return round(min(_LATEST_S * (1 - spread / 10), starts_in_s + 0.5 + 10 * spread), 1)
