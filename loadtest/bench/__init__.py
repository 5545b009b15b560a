"""Speed as ratios of two things measured in turn in the same run; a benchmark asserts nothing and is no test."""

from loadtest.bench.config import BenchConfig, Service
from loadtest.bench.run import run

__all__ = ["BenchConfig", "Service", "run"]
