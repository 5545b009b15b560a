"""Opening day on one machine: a crowd walks the whole path, and the books are checked afterwards from the outside."""

from loadtest.drill.config import DrillConfig
from loadtest.drill.plan import Step
from loadtest.drill.run import run

__all__ = ["DrillConfig", "Step", "run"]
