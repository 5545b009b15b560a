"""The drill from beginning to end."""

from loadtest.drill.config import DrillConfig


def run(config: DrillConfig) -> int:
    """Run the drill, write the reports, print the verdict; return 0, or 1 when an invariant is broken."""
    raise NotImplementedError(config.room)
