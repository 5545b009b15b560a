"""The benchmark run from beginning to end."""

from loadtest.bench.config import BenchConfig


def run(config: BenchConfig) -> int:
    """Measure, print the table, write the JSON; return 0, or 2 when something it needs is missing."""
    raise NotImplementedError(config.only)
