"""What the edge's tests share: keys, rooms, a configuration, an operator's token."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import altcha
import httpx
import msgspec
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from prometheus_client.parser import text_string_to_metric_families
from pydantic import IPvAnyNetwork, SecretStr, TypeAdapter

from edge.config import EdgeConfig
from edge.line.line import Line
from edge.line.room import LanePicture, Picture, RoomPlan, Spot
from shared import tls
from shared.bearer import TrustedIssuer
from shared.ids import SystemIds
from shared.keys import KeyRing

ISSUER = "urn:test:issuer"
TICKET_KEYS = KeyRing("t1", {"t1": b"ticket-key-for-tests-only-32-byt"})
ADMISSION_KEYS = KeyRing("a1", {"a1": b"admission-key-for-tests-32-bytes"})


def plan(**changes: object) -> RoomPlan:
    """A room that lets people through at once, unless told otherwise."""
    base: dict[str, object] = {
        "id": "demo",
        "name": "Demo",
        "rate_per_s": 50.0,
        "burst": 10,
        "enter_url": "http://127.0.0.1:8081/enter",
        "call_window_s": 30,
    }
    return RoomPlan.model_validate(base | changes)


def config(
    redis_url: str,
    *rooms: RoomPlan,
    issuers: tuple[TrustedIssuer, ...] = (),
    heal_s: float = 0,
    environment: Literal["production", "local"] = "local",
    trusted_proxies: tuple[str, ...] = (),
) -> EdgeConfig:
    """An edge of these rooms."""
    return EdgeConfig(
        redis_url=SecretStr(redis_url),
        rooms=rooms or (plan(),),
        ticket_keys=TICKET_KEYS,
        admission_keys=ADMISSION_KEYS,
        issuers=issuers,
        edge_public_url="http://127.0.0.1:8080",
        origin_public_url="http://127.0.0.1:8081",
        environment=environment,
        heal_s=heal_s,
        trusted_proxies=TypeAdapter(tuple[IPvAnyNetwork, ...]).validate_python(trusted_proxies),
    )


@dataclass
class Failures:
    """Hears of every call that the store did not answer."""

    acts: list[str] = field(default_factory=list)

    def store_failed(self, act: str) -> None:
        self.acts.append(act)


def line(client: object, *, heal_s: float = 0, **changes: object) -> Line:
    """A line of one room, driven with virtual time."""
    return Line(client, plan(**changes), Failures(), heal_s=heal_s, ids=SystemIds())  # type: ignore[arg-type]  # Redis is generic in its stubs only


_LANE: dict[str, Any] = {
    "joined": 0,
    "called": 0,
    "answered": 0,
    "admitted": 0,
    "left": 0,
    "weight": 1.0,
    "floor": 0.0,
    "opens": 0,
    "bypasses": 0,
    "entries": -1,
    "show": 1.0,
    "share": 10.0,
    "least": 10.0,
    "backlog": 0,
    "pace": 10.0,
    "why": "",
    "why_at": 0,
}
_ROOM: dict[str, Any] = {
    "state": "open",
    "reason": "",
    "epoch": 1,
    "version": 1,
    "rate": 10.0,
    "burst": 10,
    "window": 10,
    "prequeue": 0,
    "opens": 0,
    "closes": 0,
    "discipline": "fifo",
    "seed": "",
    "bypass_rate": 0.0,
    "bypass_burst": 1,
    "bypassed": 0,
    "revoked_at": 0,
    "tokens": 0.0,
    "healing": False,
    "at_us": 0,
}


def picture(**changes: Any) -> Picture:
    """A room of one lane as the store would have it; the phase is the state, unless told otherwise."""
    phase = changes.pop("phase", changes.get("state", "open"))
    lane = {name: changes.pop(name, value) for name, value in _LANE.items()}
    return Picture(lanes=[LanePicture(**lane, phase=phase)], phase=phase, **(_ROOM | changes))


def spots(places: Iterable[int], lane: int = 0) -> list[Spot]:
    """Tickets whose numbers are their places."""
    return [Spot(lane, place, place) for place in places]


class Issuer:
    """A trusted issuer with its key in a file."""

    def __init__(self, folder: Path) -> None:
        self._key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"}, private=True)
        path = folder / "jwks.json"
        path.write_bytes(msgspec.json.encode(KeySet([self._key]).as_dict(private=False)))
        self.trusted = TrustedIssuer(issuer=ISSUER, audience="vestibule", jwks_file=path)

    def token(self, *roles: str, sub: str = "ana", exp: int = 4_000_000_000) -> str:
        """Mint a bearer token."""
        claims = {"iss": ISSUER, "aud": "vestibule", "sub": sub, "exp": exp, "roles": list(roles)}
        return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self._key)

    def operator(self) -> dict[str, str]:
        """Headers of an operator."""
        return {"Authorization": f"Bearer {self.token('operator')}"}


def solved(challenge: Mapping[str, Any]) -> str:
    """Solve a challenge as the library's own client does; the text that a join brings."""
    asked = altcha.Challenge.from_dict(dict(challenge))
    solution = altcha.solve_challenge(asked)
    assert solution is not None
    return altcha.Payload(asked, solution).to_base64()


def client(base_url: str) -> httpx.AsyncClient:
    """A visitor's browser, cookies included."""
    return httpx.AsyncClient(base_url=base_url, timeout=10, verify=tls.context())


async def metric(visitor: httpx.AsyncClient, name: str, **labels: str) -> float:
    """The value of one of the edge's metrics."""
    text = (await visitor.get("/metrics", headers={"Accept": "text/plain"})).text
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"vestibule_edge_{name}" and sample.labels == labels:
                return sample.value
    raise AssertionError(f"there is no metric {name} {labels}")
