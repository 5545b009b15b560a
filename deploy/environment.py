"""The settings that the stack gives to the services it starts."""

import json
import os
from pathlib import Path

from deploy import demo, identity
from deploy.datadir import DataDir
from deploy.issuer import LocalIssuer
from deploy.settings import LOOPBACK, StackSettings

_CROWD = 1_000_000  # requests per minute and address: on one machine a whole country has one address


def write_rooms(data: DataDir, settings: StackSettings) -> None:
    """Write the edge's rooms. What an operator changes later lives in the store and wins over this file."""
    room = {
        "id": demo.ROOM,
        "name": demo.PROGRAMME_NAME,
        "rate_per_s": settings.demo_rate_per_s,
        "burst": settings.demo_burst,
        "enter_url": f"{settings.url('origin_port')}/enter",
        "token_ttl_s": 900,
        "call_window_s": 30,
        "state": "open",
        "capacity_url": f"{settings.url('origin_port')}/v1/capacity",
        "check_url": f"{settings.url('origin_port')}/check/{demo.PROGRAMME}",
        "limits": {"joins": _CROWD, "acts": _CROWD},
    }
    data.rooms.write_text(json.dumps({"rooms": [room]}, indent=2) + "\n")


def services(settings: StackSettings, data: DataDir, *, database_url: str, redis_url: str) -> dict[str, str]:
    """Return the environment of edge, origin and worker: ours, with what this stack decides on top.

    Other ``VESTIBULE_*`` variables pass through, so that every setting of a service can be tried on one machine.
    """
    identity_url = settings.url("identity_port")
    issuers = [LocalIssuer(data.issuer).trusted(), identity.trusted(identity_url)]
    decided = {
        "ENVIRONMENT": "local",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "EDGE_HOST": LOOPBACK,
        "EDGE_PORT": str(settings.edge_port),
        "ORIGIN_HOST": LOOPBACK,
        "ORIGIN_PORT": str(settings.origin_port),
        "EDGE_PUBLIC_URL": settings.url("edge_port"),
        "ORIGIN_PUBLIC_URL": settings.url("origin_port"),
        "ROOMS_FILE": _absolute(data.rooms),
        "EDGE_STATE_DIR": _absolute(data.root / "edge"),
        "TICKET_KEYS_FILE": _absolute(data.key_file("tickets")),
        "ADMISSION_KEYS_FILE": _absolute(data.key_file("admission")),
        "ORIGIN_KEYS_FILE": _absolute(data.key_file("origin")),
        "PERSON_KEYS_FILE": _absolute(data.key_file("person")),
        "TRUSTED_ISSUERS": json.dumps(issuers),
        "OIDC_ISSUER": identity_url,
        "OIDC_CLIENT_ID": identity.CLIENT_ID,
        "OIDC_CLIENT_SECRET": identity.CLIENT_SECRET,
    }
    return dict(os.environ) | {f"VESTIBULE_{name}": value for name, value in decided.items()}


def _absolute(path: Path) -> str:
    return str(path.resolve())
