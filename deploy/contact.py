"""Whom a command speaks to and in whose name: what is named, by option or setting, else the stack that runs here."""

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import HttpUrl, SecretStr

from deploy.datadir import DataDir
from deploy.errors import StackError
from deploy.issuer import LocalIssuer
from shared.clock import Clock
from shared.settings import Settings

_TOKEN_TTL_S = 300


class ContactSettings(Settings):
    """Where the stack that runs here has its data, and a token for what runs elsewhere."""

    data_dir: Path = Path("build/local")
    operator_token: SecretStr | None = None


def contact(
    settings: ContactSettings,
    side: Literal["edge", "origin"],
    named: str | HttpUrl | None,
    clock: Clock,
    *,
    roles: Sequence[str],
    sub: str | None = None,
) -> tuple[str, str]:
    """Return the address of a side, and a bearer token that it takes.

    A token is minted for the stack that runs here alone, in the name of ``sub`` or of whoever is logged in: elsewhere
    nobody trusts it, and nobody should get to see it.

    Raises:
        StackError: there is no such side, or no token for it.
    """
    data = DataDir(settings.data_dir)
    running = data.addresses()
    local = None if running is None else (running["edge_url"] if side == "edge" else running["origin_url"]).rstrip("/")
    url = str(named or local or "").rstrip("/")
    if not url:
        setting = f"VESTIBULE_{side.upper()}_PUBLIC_URL"
        raise StackError(f"no {side}: give --{side} or {setting}, or start the stack with `make up`")
    if settings.operator_token is not None:
        return url, settings.operator_token.get_secret_value()
    if url != local:
        raise StackError(f"no token for {url}: set VESTIBULE_OPERATOR_TOKEN")
    issuer = LocalIssuer(data.issuer)
    return url, issuer.mint(sub=sub or _user(), roles=roles, now=clock.unix(), ttl_s=_TOKEN_TTL_S)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # nobody of this number is known here
        return "operator"
