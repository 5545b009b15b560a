"""The smallest sets of comparisons that, had they come out otherwise, would give another judgement. Pure, bounded.

A way is a pair of bit sets: what would be met, and what would not. Each comparison is turned by itself: that nobody is
over 65 and under 50 is not thought of.
"""

from collections.abc import Iterable

from origin.eligibility.evaluators.v2_tree import Leaf, Negation, Node, Truth, truth

TOGETHER = 2
"""At most so many comparisons in a way."""
MOST = 12
"""At most so many ways are told."""
_MOST_WITHIN = 48

Way = tuple[int, int]
_AS_IT_IS: Way = (0, 0)
_LEVEL: dict[Truth, int] = {False: 0, None: 1, True: 2}


def other_ways(node: Node, held: int, known: int) -> list[Way]:
    """Return the smallest ways to another judgement, fewest comparisons first, then in order of the document.

    From definite, to any other; from unknown, by answering what is unknown. Each was tried out; none contains another.
    """
    verdict = truth(node, held, known)
    if verdict is None:
        free = ~known
        found = _ways(node, held, known, 2, free) + _ways(node, held, known, 0, free, down=True)
    else:
        found = _ways(node, held, known, 1, -1, down=verdict)
    tried = [
        (met, unmet) for met, unmet in found if truth(node, (held | met) & ~unmet, known | met | unmet) is not verdict
    ]
    return _smallest(tried)[:MOST]


def _ways(node: Node, held: int, known: int, level: int, free: int, *, down: bool = False) -> list[Way]:
    """Return ways that bring a clause to at least a level, or ``down`` to at most it; ``free``: may be turned."""
    if isinstance(node, Negation):
        return _ways(node.of, held, known, 2 - level, free, down=not down)
    now = _LEVEL[truth(node, held, known)]
    if now <= level if down else now >= level:
        return [_AS_IT_IS]
    if isinstance(node, Leaf):
        if not node.bit & free:
            return []
        return [(0, node.bit)] if down else [(node.bit, 0)]
    each = [_ways(inner, held, known, level, free, down=down) for inner in node.of]
    if node.every is down:  # one is enough
        return _smallest(way for ways in each for way in ways)
    together = [_AS_IT_IS]
    for ways in each:
        together = _smallest(_both(one, other) for one in together for other in ways)
    return together


def _both(one: Way, other: Way) -> Way:
    return one[0] | other[0], one[1] | other[1]


def _smallest(ways: Iterable[Way]) -> list[Way]:
    """Return what is possible and small, without those that contain another."""
    kept: list[Way] = []
    small = {way for way in ways if not way[0] & way[1] and _size(way) <= TOGETHER}
    for met, unmet in sorted(small, key=_order):
        if not any(met & one == one and unmet & other == other for one, other in kept):
            kept.append((met, unmet))
    return kept[:_MOST_WITHIN]


def _size(way: Way) -> int:
    return way[0].bit_count() + way[1].bit_count()


def _order(way: Way) -> tuple[int, int, int]:
    """Bits are given out in order of the document: of two ways the one whose last comparison comes first."""
    return _size(way), way[0] | way[1], way[0]
