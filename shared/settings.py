"""Settings: read once at the entry from ``VESTIBULE_*``, frozen, passed down. All faults are reported at once."""

import sys
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Base of every service's settings."""

    model_config = SettingsConfigDict(env_prefix="VESTIBULE_", frozen=True, extra="ignore")


S = TypeVar("S", bound=Settings)


def load(form: type[S]) -> S:
    """Return the settings, or print every fault by its variable's name (never a value) and exit with status 2."""
    try:
        return form()
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False, include_context=False):
            name = "_".join(str(part) for part in fault["loc"]).upper()
            about = f"VESTIBULE_{name}: " if name else ""  # a fault between settings names them itself
            sys.stderr.write(about + fault["msg"].removeprefix("Value error, ") + "\n")
        sys.exit(2)
