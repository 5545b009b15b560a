"""The local identity provider: people who can sign in to the demo with one click, and how to start it."""

import json
import sys
from typing import cast

from deploy.settings import LOOPBACK

CLIENT_ID = "vestibule"
CLIENT_SECRET = "local"  # noqa: S105 - the provider takes any; it listens on this machine only

USERS: tuple[dict[str, object], ...] = (
    {"sub": "ana", "name": "Ana García", "email": "ana@example.org", "roles": ["visitor"]},
    {"sub": "bruno", "name": "Bruno Iglesias", "email": "bruno@example.org", "roles": ["visitor"]},
    {"sub": "carmen", "name": "Carmen Vidal", "email": "carmen@example.org", "roles": ["visitor"]},
    {"sub": "olga", "name": "Olga Prieto (operator)", "email": "olga@example.org", "roles": ["visitor", "operator"]},
    {"sub": "sofia", "name": "Sofía Marín (support)", "email": "sofia@example.org", "roles": ["support"]},
    {"sub": "vera", "name": "Vera Soto (exceptions)", "email": "vera@example.org", "roles": ["overrider"]},
    {"sub": "victor", "name": "Víctor Ruiz (exceptions)", "email": "victor@example.org", "roles": ["overrider"]},
    {"sub": "aurelia", "name": "Aurelia Soto (author)", "email": "aurelia@example.org", "roles": ["rules_author"]},
    {"sub": "rosa", "name": "Rosa Vega (reviewer)", "email": "rosa@example.org", "roles": ["rules_reviewer"]},
)


def who(role: str, between: str = ", ") -> str:
    """Return the names of all who have a role, as one types them to sign in."""
    return between.join(str(user["sub"]) for user in USERS if role in cast("list[str]", user["roles"]))


def arguments(port: int) -> list[str]:
    """Return the command that starts the provider."""
    users = [part for user in USERS for part in ("--user-claims", json.dumps(user))]
    return [sys.executable, "-m", "oidc_provider_mock", "--host", LOOPBACK, "--port", str(port), *users]


def trusted(url: str) -> dict[str, object]:
    """Return the provider's entry in ``VESTIBULE_TRUSTED_ISSUERS``."""
    return {"issuer": url, "audience": CLIENT_ID, "jwks_url": f"{url}/jwks", "local": True}
