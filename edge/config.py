"""Settings of the edge, read once at the entry from ``VESTIBULE_*``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    IPvAnyNetwork,
    Secret,
    SecretStr,
    ValidationError,
    model_validator,
)

from edge.events.webhook import Target, load_secrets
from edge.line.room import RoomPlan
from shared.bearer import TrustedIssuer
from shared.keys import KeyRing
from shared.settings import Settings
from shared.web.theme import PLAIN, Theme


class ConfigError(Exception):
    """A configuration that cannot be used; the message says which part, never a secret."""


class EdgeSettings(Settings):
    """What the environment says. Files are read by ``EdgeConfig.load``."""

    redis_url: SecretStr
    rooms_file: Path
    ticket_keys_file: Path
    admission_keys_file: Path
    trusted_issuers: tuple[TrustedIssuer, ...] = ()
    edge_host: str = "127.0.0.1"
    edge_port: Annotated[int, Field(ge=1, le=65535)] = 8080
    edge_public_url: HttpUrl
    origin_public_url: HttpUrl
    environment: Literal["production", "local"] = "production"
    heal_s: Annotated[float, Field(ge=0, le=60)] = 1.0
    govern_every_s: Annotated[float, Field(ge=0.05, le=10)] = 1.0
    join_hold_s: Annotated[float, Field(ge=0, le=30)] = 3.0
    join_hold_most: Annotated[int, Field(ge=0, le=1_000_000)] = 10_000
    edge_state_dir: Path | None = None
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    theme_file: Path | None = None
    webhook_url: Secret[HttpUrl] | None = None
    webhook_secret_file: Path | None = None

    @model_validator(mode="after")
    def _events_are_signed(self) -> Self:
        if (self.webhook_url is None) != (self.webhook_secret_file is None):
            raise ValueError("VESTIBULE_WEBHOOK_URL and VESTIBULE_WEBHOOK_SECRET_FILE: set both, or neither")
        return self


class _RoomsFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rooms: Annotated[list[RoomPlan], Field(min_length=1, max_length=100)]


@dataclass(frozen=True)
class EdgeConfig:
    """Everything an edge needs to know.

    ``heal_s``: how long after the store lost a line no place is given out, so that every edge can say what it has seen;
    longer than the pace at which edges look (0.15 to 0.6 s). ``govern_every_s``: how often its governor and herald act.
    ``join_hold_s``, ``join_hold_most``: how long, and how many, newcomers are kept while the store is away.
    ``state_dir``: where rooms are kept for a restart of everything at once. ``trusted_proxies``: whose forwarded
    headers are believed. ``webhook``: who is told what happens in rooms; None: nobody.
    """

    redis_url: SecretStr
    rooms: tuple[RoomPlan, ...]
    ticket_keys: KeyRing
    admission_keys: KeyRing
    issuers: tuple[TrustedIssuer, ...]
    edge_public_url: str
    origin_public_url: str
    environment: Literal["production", "local"]
    heal_s: float = 1.0
    govern_every_s: float = 1.0
    join_hold_s: float = 3.0
    join_hold_most: int = 10_000
    state_dir: Path | None = None
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    theme: Theme = PLAIN
    webhook: Target | None = None

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are for HTTPS only: everywhere but on one's own machine."""
        return self.environment != "local"

    @classmethod
    def load(cls, settings: EdgeSettings) -> "EdgeConfig":
        """Read the files that the settings name.

        Raises:
            ConfigError: the rooms file cannot be used, or a local issuer is trusted in production.
            KeyRingError: a key file cannot be used.
            ThemeError: the theme cannot be used.
            WebhookError: the webhook's secret cannot be used.
        """
        if settings.environment == "production" and any(issuer.local for issuer in settings.trusted_issuers):
            raise ConfigError("VESTIBULE_TRUSTED_ISSUERS: a local issuer is not trusted in production")
        return cls(
            redis_url=settings.redis_url,
            rooms=load_rooms(settings.rooms_file),
            ticket_keys=KeyRing.load(settings.ticket_keys_file),
            admission_keys=KeyRing.load(settings.admission_keys_file),
            issuers=settings.trusted_issuers,
            edge_public_url=str(settings.edge_public_url).rstrip("/"),
            origin_public_url=str(settings.origin_public_url).rstrip("/"),
            environment=settings.environment,
            heal_s=settings.heal_s,
            govern_every_s=settings.govern_every_s,
            join_hold_s=settings.join_hold_s,
            join_hold_most=settings.join_hold_most,
            state_dir=settings.edge_state_dir,
            trusted_proxies=settings.trusted_proxies,
            theme=Theme.load(settings.theme_file),
            webhook=_target(settings),
        )


def _target(settings: EdgeSettings) -> Target | None:
    if settings.webhook_url is None or settings.webhook_secret_file is None:
        return None
    url = str(settings.webhook_url.get_secret_value())
    return Target(url, load_secrets(settings.webhook_secret_file))


def load_rooms(path: Path) -> tuple[RoomPlan, ...]:
    """Read the rooms file.

    Raises:
        ConfigError: naming every fault by its path in the file.
    """
    try:
        rooms = _RoomsFile.model_validate_json(path.read_bytes()).rooms
    except OSError as error:
        raise ConfigError(f"cannot read the rooms file {path}: {error.strerror}") from error
    except ValidationError as error:
        faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        raise ConfigError(f"the rooms file {path} is not usable: {'; '.join(faults)}") from None
    if len({room.id for room in rooms}) != len(rooms):
        raise ConfigError(f"the rooms file {path} names a room twice")
    return tuple(rooms)
