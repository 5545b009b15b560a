"""The origin's settings, ``VESTIBULE_*`` in the environment."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, AnyHttpUrl, Field, SecretStr, ValidationInfo, field_validator

from shared.bearer import TrustedIssuer
from shared.keys import KeyRing, KeyRingError
from shared.settings import Settings
from shared.web.theme import Theme, ThemeError


def _readable_ring(path: Path) -> Path:
    try:
        KeyRing.load(path)
    except KeyRingError as fault:
        raise ValueError(str(fault)) from None
    return path


def _readable_theme(path: Path) -> Path:
    try:
        Theme.load(path)
    except ThemeError as fault:
        raise ValueError(str(fault)) from None
    return path


KeyFile = Annotated[Path, AfterValidator(_readable_ring)]


class OriginConfig(Settings):
    """Read once at the entry. Every fault is reported, each by its variable's name; values never are."""

    environment: Literal["production", "local"] = "production"
    database_url: SecretStr
    admission_keys_file: KeyFile
    origin_keys_file: KeyFile
    person_keys_file: KeyFile
    trusted_issuers: list[TrustedIssuer]
    oidc_issuer: AnyHttpUrl | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    origin_host: str = "127.0.0.1"
    origin_port: int = Field(default=8081, ge=0, le=65535)
    origin_public_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8081")
    edge_public_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8080")
    pool_size: int = Field(default=16, ge=1, le=200)
    pool_wait_s: float = Field(default=2.0, gt=0, le=60)
    admission_leeway_s: float = Field(default=5, ge=0, le=60)
    admission_session_s: int = Field(default=1800, ge=60, le=86_400)
    admission_extensions: int = Field(default=10, ge=0, le=100)
    admission_longest_s: int = Field(default=21_600, ge=60, le=86_400)
    capacity_per_s: float | None = Field(default=None, gt=0, le=100_000)
    capacity_p99_ms: float = Field(default=1000, gt=0, le=60_000)
    check_per_s: float = Field(default=50.0, ge=0, le=100_000)
    check_at_once: int = Field(default=16, ge=1, le=1000)
    feed_every_s: int = Field(default=60, ge=1, le=3600)
    supply_upload_mb: int = Field(default=256, ge=1, le=4096)
    theme_file: Annotated[Path, AfterValidator(_readable_theme)] | None = None

    @field_validator("trusted_issuers")
    @classmethod
    def _no_local_issuer_in_production(cls, issuers: list[TrustedIssuer], info: ValidationInfo) -> list[TrustedIssuer]:
        local = sorted(issuer.issuer for issuer in issuers if issuer.local)
        if local and info.data.get("environment") != "local":
            raise ValueError(f"a local issuer is trusted only where VESTIBULE_ENVIRONMENT=local: {', '.join(local)}")
        return issuers

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are sent over HTTPS only."""
        return self.environment != "local"
