"""Settings of the one-machine stack: ``VESTIBULE_*``, like those of the services it starts."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, PostgresDsn, RedisDsn, model_validator

from shared.settings import Settings

Port = Annotated[int, Field(ge=1, le=65535)]

PORT_FIELDS = ("edge_port", "origin_port", "identity_port", "postgres_port", "valkey_port")
LOOPBACK = "127.0.0.1"


def variable(field: str) -> str:
    """Return the environment variable that sets ``field``."""
    return f"VESTIBULE_{field.upper()}"


class StackSettings(Settings):
    """Where the stack lives and listens, which servers it takes instead of its own, how large the demo is."""

    data_dir: Path = Path("build/local")
    edge_port: Port = 8080
    origin_port: Port = 8081
    identity_port: Port = 8082
    postgres_port: Port = 8083
    valkey_port: Port = 8084
    redis_url: RedisDsn | None = None
    database_url: PostgresDsn | None = None
    demo_sites: int = Field(default=400, ge=1, le=2000)
    demo_days: int = Field(default=28, ge=1, le=90)
    demo_rate_per_s: float = Field(default=50, gt=0, le=10_000)
    demo_burst: int = Field(default=25, ge=1, le=10_000)

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        counted = Counter(getattr(self, field) for field in PORT_FIELDS)
        twice = [variable(field) for field in PORT_FIELDS if counted[getattr(self, field)] > 1]
        if twice:
            raise ValueError(f"the same port is given more than once: {', '.join(twice)}")
        return self

    @property
    def used_ports(self) -> list[tuple[str, int]]:
        """The ports that the stack is going to listen on, each with its field's name."""
        theirs = {"postgres_port": self.database_url, "valkey_port": self.redis_url}
        return [(field, getattr(self, field)) for field in PORT_FIELDS if theirs.get(field) is None]

    def url(self, field: str) -> str:
        """Return the base URL of the HTTP service that listens on the port ``field``."""
        return f"http://{LOOPBACK}:{getattr(self, field)}"
