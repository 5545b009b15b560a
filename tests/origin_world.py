"""What the origin's tests share: keys, a trusted issuer, a small programme, and visitors who call over HTTP."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from origin.admin import programmes
from origin.app import create_app
from origin.booking.store import BookingStore
from origin.config import OriginConfig
from origin.db.pool import connect
from origin.db.sql import Connection
from origin.eligibility import versions
from origin.eligibility.cases import NO_CASES
from origin.inventory.supply import RegionRow, SiteRow, SlotRow, import_supply
from origin.state import OriginState
from shared import tls
from shared.bearer import TrustedIssuer
from shared.clock import ManualClock
from shared.keys import KeyRing, encode_key_file
from shared.token import AdmissionTokens
from tests.serving import serving

ISSUER = "urn:test:issuer"
START = datetime(2027, 3, 1, 9, tzinfo=UTC)
ADMISSION_KEYS = KeyRing("a1", {"a1": b"admission-key-for-tests-32-bytes"})
ORIGIN_KEYS = KeyRing("o1", {"o1": b"origin-key-for-tests-of-32-bytes"})
PERSON_KEYS = KeyRing("p1", {"p1": b"person-key-for-tests-of-32-bytes"})
SIGNING_KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"}, private=True)
MADRID = (40.4168, -3.7038)
SENIOR: dict[str, Any] = {"birth_date": "1950-05-17", "region": "ES-MD", "job_code": "none", "conditions": []}
ADULT: dict[str, Any] = {"birth_date": "1990-05-17", "region": "ES-MD", "job_code": "none", "conditions": []}
_DECIDE = """
    INSERT INTO decision (ref, programme, person, outcome, rule_version, ruleset, evaluator, as_of, products, dose,
                          inputs_hash, branches, created_at, expires_at)
    SELECT gen_random_uuid(), 'demo', person, 'eligible', version, ruleset, 'test', $2::date, '{140}', 1, '', '[]',
           $2, $2::timestamptz + interval '1 day'
      FROM unnest($1::bytea[]) person, (SELECT version, ruleset FROM rule_version ORDER BY version DESC LIMIT 1) rules
    RETURNING person, ref"""


def config(folder: Path, database_url: str, **changes: Any) -> OriginConfig:
    """A local origin on that database."""
    rings = {"admission": ADMISSION_KEYS, "origin": ORIGIN_KEYS, "person": PERSON_KEYS}
    for name, ring in rings.items():
        (folder / f"{name}.json").write_bytes(encode_key_file(ring.current, {ring.current: ring.signing_key}))
    jwks = folder / "jwks.json"
    jwks.write_bytes(msgspec.json.encode(KeySet([SIGNING_KEY]).as_dict(private=False)))
    base: dict[str, Any] = {
        "environment": "local",
        "database_url": SecretStr(database_url),
        "admission_keys_file": folder / "admission.json",
        "origin_keys_file": folder / "origin.json",
        "person_keys_file": folder / "person.json",
        "trusted_issuers": [TrustedIssuer(issuer=ISSUER, audience="vestibule", jwks_file=jwks)],
    }
    return OriginConfig(**(base | changes))


@cache
def bearer(sub: str, *roles: str) -> str:
    """Mint a bearer token."""
    claims = {"iss": ISSUER, "aud": "vestibule", "sub": sub, "exp": 4_000_000_000, "roles": list(roles)}
    return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, SIGNING_KEY)


def admission(ticket: str | None = None, *, room: str = "demo", now: datetime = START, ttl_s: int = 900) -> str:
    """Issue an admission token, as the edge would."""
    ticket = ticket or uuid4().hex
    return AdmissionTokens(ADMISSION_KEYS).issue(room=room, ticket_id=ticket, iat=int(now.timestamp()), ttl_s=ttl_s)


@dataclass
class World:
    """The demo programme with one site in Madrid, one in Toledo and one in Las Palmas."""

    connection: Connection
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))

    async def set_up(self, *, rules: bytes | None = None) -> None:
        """Make the programme, its rules and its sites; no slots yet."""
        await programmes.create(self.connection, "demo", name="Demo programme", room="demo")
        demo = versions.DEMO.read_bytes(), versions.DEMO_CASES.read_bytes()
        document, cases = demo if rules is None else (rules, NO_CASES)
        await versions.publish(self.connection, "demo", document, self.clock.now(), cases=cases)
        sites = [
            SiteRow(1, "ES-MD", "Health centre", "Calle Mayor 1", "Madrid", *MADRID, "Europe/Madrid"),
            SiteRow(2, "ES-CM", "Library", "Calle Real 2", "Toledo", 39.8581, -4.0226, "Europe/Madrid"),
            SiteRow(3, "ES-CN", "Hall", "Calle del Sol 3", "Las Palmas", 28.0997, -15.4134, "Atlantic/Canary"),
        ]
        regions = [RegionRow(code, code) for code in ("ES-MD", "ES-CM", "ES-CN")]
        await import_supply(self.connection, regions, sites, [])

    async def slot(
        self,
        *,
        site: int = 1,
        capacity: int = 1,
        hours: float = 24,
        product: str = "140",
        programme: str = "demo",
    ) -> int:
        """Add a slot that begins ``hours`` from now; return its id."""
        starts_at = self.clock.now() + timedelta(hours=hours)
        row = SlotRow(programme, site, starts_at, starts_at + timedelta(minutes=30), product, capacity)
        await import_supply(self.connection, [], [], [row])
        slot: int = await self.connection.fetchval("SELECT max(id) FROM slot")
        return slot

    async def policy(self, **values: Any) -> None:
        """Set policies of the programme, by their columns."""
        for name, value in values.items():
            await self.connection.execute(f"UPDATE programme SET {name} = $1", value)

    async def unbalanced(self) -> list[tuple[int, ...]]:
        """Return the slots whose places do not add up: capacity, remaining, taken, held."""
        rows = await self.connection.fetch(
            "SELECT capacity, remaining, taken, held FROM slot, LATERAL (SELECT"
            " (SELECT count(*) FROM appointment a WHERE a.slot = slot.id AND a.status <> 'cancelled') AS taken,"
            " (SELECT count(*) FROM hold h WHERE h.slot = slot.id) AS held) AS counted"
            " WHERE remaining <> capacity - taken - held OR taken > capacity"
        )
        return [tuple(row) for row in rows]

    async def rules(self, **changes: Any) -> int:
        """Publish the demo rules with changes; return the version."""
        document = msgspec.json.decode(versions.DEMO.read_bytes()) | changes
        return await versions.publish(self.connection, "demo", msgspec.json.encode(document), self.clock.now())

    async def decided(self, persons: Sequence[bytes]) -> dict[bytes, UUID]:
        """Decide, for any number of people at once, that they are eligible; return their decisions."""
        rows = await self.connection.fetch(_DECIDE, persons, self.clock.now())
        return {row["person"]: row["ref"] for row in rows}

    async def count(self, table: str, where: str = "true") -> int:
        """Count rows."""
        number: int = await self.connection.fetchval(f"SELECT count(*) FROM {table} WHERE {where}")
        return number


@asynccontextmanager
async def world(database_url: str, **options: Any) -> AsyncIterator[World]:
    """Set up a world in a fresh database."""
    connection = await connect(database_url)
    try:
        made = World(connection)
        await made.set_up(**options)
        yield made
    finally:
        await connection.close()


@asynccontextmanager
async def reopened(database_url: str, clock: ManualClock) -> AsyncIterator[World]:
    """Look at a world again whose server was away."""
    connection = await connect(database_url)
    try:
        yield World(connection, clock)
    finally:
        await connection.close()


@dataclass
class Origin:
    """A world, and an origin on it that answers over HTTP."""

    world: World
    client: httpx.AsyncClient
    state: OriginState

    def visitor(self, sub: str = "ana") -> "Visitor":
        """Somebody who was just let through."""
        return Visitor(self.client, sub, admission(now=self.world.clock.now()))

    def metric(self, name: str, **labels: str) -> float:
        """Read one of the origin's samples."""
        return self.state.metrics.registry.get_sample_value(f"vestibule_origin_{name}", labels) or 0.0


@asynccontextmanager
async def origin(
    database_url: str, folder: Path, *, store: BookingStore | None = None, rules: bytes | None = None, **changes: Any
) -> AsyncIterator[Origin]:
    """Serve an origin on a fresh database."""
    async with world(database_url, rules=rules) as made:
        seen: list[OriginState] = []
        app = create_app(config(folder, database_url, **changes), clock=made.clock, store=store)
        async with serving(_noting(app, seen)) as base, client(base) as browser:
            await browser.get("/healthz")
            yield Origin(made, browser, seen[0])


def client(base_url: str) -> httpx.AsyncClient:
    """A visitor's browser, cookies included."""
    return httpx.AsyncClient(base_url=base_url, timeout=30, verify=tls.context())


def _noting(app: ASGIApp, seen: list[OriginState]) -> ASGIApp:
    """Let a test look at the state that requests see."""

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            seen.append(scope["state"]["origin"])
        await app(scope, receive, send)

    return noting


@dataclass
class Visitor:
    """Somebody with a bearer token and an admission token."""

    client: httpx.AsyncClient
    sub: str = "ana"
    token: str = field(default_factory=admission)

    @property
    def headers(self) -> dict[str, str]:
        """Both credentials."""
        return {"Authorization": f"Bearer {bearer(self.sub)}", "Admission-Token": self.token}

    async def evaluate(self, facts: dict[str, Any] | None = None) -> httpx.Response:
        """Ask whether one is eligible."""
        body = {"facts": SENIOR if facts is None else facts}
        return await self.client.post("/v1/eligibility:evaluate", json=body, headers=self.headers)

    async def decision(self, facts: dict[str, Any] | None = None) -> str:
        """Be evaluated; return the reference."""
        answer = await self.evaluate(facts)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["decision_ref"])

    async def book(self, slot: object, decision: str, *, key: str | None = None) -> httpx.Response:
        """Try to book."""
        headers = self.headers | {"Idempotency-Key": f'"{key or uuid4().hex}"'}
        body = {"slot_id": slot, "decision_ref": decision}
        return await self.client.post("/v1/appointments", json=body, headers=headers)

    async def hold(self, slot: object, decision: str) -> httpx.Response:
        """Try to hold a place for a booking."""
        body = {"slot_id": slot, "decision_ref": decision}
        return await self.client.post("/v1/holds", json=body, headers=self.headers)

    async def move(self, booked: httpx.Response, slot: object, *, key: str | None = None) -> httpx.Response:
        """Try to move what was booked; no admission is shown."""
        headers = {"Authorization": self.headers["Authorization"], "Idempotency-Key": key or uuid4().hex}
        address = f"/v1/appointments/{booked.json()['id']}:reschedule"
        return await self.client.post(address, json={"slot_id": slot}, headers=headers)

    async def cancel(self, booked: httpx.Response) -> httpx.Response:
        """Try to cancel what was booked."""
        headers = {"Authorization": self.headers["Authorization"]}
        return await self.client.delete(f"/v1/appointments/{booked.json()['id']}", headers=headers)
