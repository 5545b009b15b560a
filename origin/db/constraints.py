"""Broken constraints as refusals: the database has the last word, and this is how it is understood."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import asyncpg

from shared.problem import Problem, ProblemType


@contextmanager
def refused_by(constraints: Mapping[str, ProblemType]) -> Iterator[None]:
    """Turn a broken constraint of one of these names into its Problem; any other stays what it is."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as broken:
        kind = constraints.get(broken.constraint_name or "")
        if kind is None:
            raise
        raise Problem(kind) from None
