"""The crowd's ways to look from the outside, on real stores: psql, the store's protocol, HTTP, the ops API."""

import asyncio
from contextlib import closing
from pathlib import Path
from random import Random

import asyncpg
import msgspec
import pytest
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.stores import Valkey as ValkeyServer
from deploy.stores import postgres_program
from loadtest.bench import client
from loadtest.bench.crowd import Crowd
from loadtest.bench.machine import BenchError
from loadtest.bench.valkey import Valkey
from loadtest.bench.wrk import request
from loadtest.drill import config
from loadtest.drill.invariants import Books
from loadtest.drill.room import Operator, RoomError
from loadtest.drill.trail import Event, Reader, Writer
from loadtest.psql import Psql, SqlError
from tests.edge_processes import until
from tests.serving import Serve

BOOKS = Path(config.__file__).with_name("books.sql")


def psql(url: str) -> Psql:
    return Psql(Path(postgres_program("psql")), url)


def books(url: str) -> Books:
    return psql(url).read(BOOKS, Books, {"programme": "demo", "since": "2020-01-01"})


@pytest.fixture
async def booked(database: asyncpg.Connection) -> asyncpg.Connection:
    """A database with one slot of two places, one of them booked as it should be."""
    await database.execute(
        """
        INSERT INTO programme (id, name, room) VALUES ('demo', 'demo', 'demo');
        INSERT INTO region VALUES ('r', 'r');
        INSERT INTO site (id, region, name, address, town, lat, lng, time_zone)
        VALUES (1, 'r', 's', '', '', 0, 0, 'UTC');
        INSERT INTO slot (id, programme, site, starts_at, ends_at, product, capacity, remaining)
        VALUES (1, 'demo', 1, now(), now() + interval '5 minutes', '140', 2, 1);
        INSERT INTO ruleset VALUES (repeat('0', 64), '', now());
        INSERT INTO rule_version (programme, version, ruleset, created_at, author, reason)
        VALUES ('demo', 1, repeat('0', 64), now(), 'author', '');
        INSERT INTO decision (ref, programme, person, outcome, rule_version, ruleset, evaluator, as_of, products, dose,
                              inputs_hash, branches, created_at, expires_at)
        VALUES ('00000000-0000-0000-0000-00000000000d', 'demo', decode(repeat('01', 32), 'hex'), 'eligible', 1,
                repeat('0', 64), 'e', current_date, '{140}', 1, '', '[]', now(), now() + interval '1 hour');
        INSERT INTO appointment
        VALUES ('00000000-0000-0000-0000-00000000000a', 'demo', decode(repeat('01', 32), 'hex'), 1, 1, 'confirmed',
                '00000000-0000-0000-0000-00000000000d', 'token', 1, now(), now());
        INSERT INTO audit_event (id, at, kind, programme, actor, about, details)
        VALUES (gen_random_uuid(), now(), 'booked', 'demo', 'visitor', '00000000-0000-0000-0000-00000000000a', '{}'),
               (gen_random_uuid(), now(), 'decided', 'demo', 'visitor', '00000000-0000-0000-0000-00000000000d', '{}');
        INSERT INTO outbox (kind, appointment, appointment_version, created_at)
        VALUES ('booked', '00000000-0000-0000-0000-00000000000a', 1, now());
        """
    )
    return database


async def test_books_that_add_up_show_nothing(booked: asyncpg.Connection, database_url: str) -> None:
    found = books(database_url)
    assert (found.double_bookings, found.oversold_slots, found.audit_mismatches) == (0, 0, 0)
    assert found.bookings_without_notice == 0
    assert [(booking.admission, booking.slot) for booking in found.bookings] == [("token", "1")]
    assert found.decisions == ["00000000-0000-0000-0000-00000000000d"]


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        ("UPDATE slot SET remaining = 2", "oversold_slots"),
        ("UPDATE slot SET remaining = 0", "oversold_slots"),
        ("UPDATE slot SET capacity = 0, remaining = 0", "oversold_slots"),
        ("DELETE FROM audit_event WHERE kind = 'booked'", "bookings_without_audit"),
        ("UPDATE audit_event SET kind = 'booked', about = (SELECT id FROM appointment)", "bookings_without_audit"),
        ("DELETE FROM audit_event WHERE kind = 'decided'", "decisions_without_audit"),
        ("UPDATE audit_event SET about = gen_random_uuid() WHERE kind = 'booked'", "audit_without_cause"),
        ("DELETE FROM outbox", "bookings_without_notice"),
        (
            """
            DROP INDEX appointment_one_active;
            INSERT INTO appointment SELECT gen_random_uuid(), programme, person, dose, slot, status, decision, 'other',
                   1, created_at, changed_at FROM appointment
            """,
            "double_bookings",
        ),
    ],
)
async def test_books_that_do_not_add_up_are_found(
    booked: asyncpg.Connection, database_url: str, spoil: str, name: str
) -> None:
    await booked.execute(spoil)
    assert getattr(books(database_url), name) == 1


async def test_a_statement_that_fails_says_why(database_url: str, tmp_path: Path) -> None:
    script = tmp_path / "bad.sql"
    script.write_text("SELECT no_such_column;")
    with pytest.raises(SqlError, match="no_such_column"):
        psql(database_url).run(script)
    with pytest.raises(SqlError, match="cannot run"):
        Psql(tmp_path / "nothing", database_url).run(script)


async def test_the_store_is_asked_in_its_own_protocol(valkey: Redis, valkey_server: ValkeyServer) -> None:
    store = Valkey(valkey_server.url)
    before = store.used_memory()
    store.ask("SETBIT", "bench-x", str(8 * 40_000_000), "1")
    assert 35_000_000 <= store.used_memory() - before < 50_000_000  # what others have left may go meanwhile
    store.forget("bench-*")
    assert store.ask("EXISTS", "bench-x") == 0
    assert store.ask("GET", "bench-x") is None
    digest = store.ask("SCRIPT", "LOAD", "for n = 1, 1000000 do end return 1")
    assert isinstance(digest, bytes)
    logged = store.ask("CONFIG", "GET", "slowlog-*")
    with store.logging():
        for room, expected in (("bench-b", False), ("bench-a", True)):
            store.ask("EVALSHA", digest.decode(), "1", "vestibule:{bench-a}:room")
            assert (0 < store.scripts_s(room) < 5) is expected
        assert store.scripts_s("bench-a") == 0  # what was told is forgotten
    assert store.ask("CONFIG", "GET", "slowlog-*") == logged
    with pytest.raises(BenchError, match="unknown command"):
        store.ask("NONSENSE")
    store.close()


async def test_prepared_requests_are_answered_in_their_order(serve: Serve) -> None:
    async def echo(request: Request) -> Response:
        return JSONResponse(await request.json(), 201)

    url = await serve(Starlette(routes=[Route("/", echo, methods=["POST"])]))
    asked = [request("POST", f"{url}/", None, number) for number in range(100)]
    answers = await asyncio.to_thread(client.send_all, url, asked)
    assert answers == [(201, str(number).encode()) for number in range(100)]


class Window:
    """A room that has called ``called`` people, and paces each of them once."""

    def __init__(self, called: int, refusal: int = 0) -> None:
        self.called = called
        self.refusal = refusal
        self.asked: dict[str, int] = {}

    async def status(self, _request: Request) -> Response:
        return JSONResponse({"called": self.called})

    async def claim(self, request: Request) -> Response:
        ticket = request.headers["Authorization"]
        self.asked[ticket] = self.asked.get(ticket, 0) + 1
        if self.refusal:
            return JSONResponse({"code": "odd"}, self.refusal)
        return JSONResponse({}, 201) if self.asked[ticket] == 2 else JSONResponse({}, 429, {"Retry-After": "0"})

    def app(self) -> Starlette:
        room = Route("/room", self.status)
        return Starlette(routes=[room, Route("/room/admissions", self.claim, methods=["POST"])])


def a_crowd(url: str, soonest_s: float = 0.0) -> Crowd:
    return Crowd(f"{url}/room", lambda place: f"ticket-{place}", 0.3, Random(1), soonest_s, soonest_s + 0.01)


async def test_a_crowd_claims_once_each_and_comes_again_while_paced(serve: Serve) -> None:
    window = Window(called=100)
    crowd = a_crowd(await serve(window.app()))
    holding = asyncio.create_task(crowd.hold(600))
    choices = Random(1)
    come = sum(choices.random() >= 0.3 for _ in range(100))
    assert 55 < come < 85

    async def all_are_through() -> bool:
        if holding.done():
            await holding  # it says why it ended
        return len(crowd.tokens_s) >= come

    await until(all_are_through, timeout_s=60)
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert list(window.asked.values()) == [2] * come
    assert len(crowd.tokens_s) == come
    assert sorted(crowd.tokens_s) == crowd.tokens_s
    assert crowd.tokens_s[0] > 0


async def test_a_crowd_goes_when_its_time_is_over(serve: Serve) -> None:
    window = Window(called=10)
    assert await a_crowd(await serve(window.app()), soonest_s=60).hold(0.1) == []
    assert not window.asked


async def test_a_crowd_that_is_refused_says_how(serve: Serve) -> None:
    with pytest.raises(BenchError, match=r"409.*odd"):
        await a_crowd(await serve(Window(called=10, refusal=409).app())).hold(5.0)


async def test_a_crowd_that_gets_no_answer_says_so() -> None:
    async def status_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET"):
            writer.write(b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 13\r\n\r\n{"called":10}')
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(status_only, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(BenchError, match=r"nothing: .*disconnected"):
            await a_crowd(f"http://127.0.0.1:{port}").hold(5.0)


async def test_the_room_gets_its_rate_back_whatever_happens(serve: Serve) -> None:
    room = {"state": "open", "joined": 0, "called": 0, "admitted": 0, "rate_per_s": 5.0, "burst": 3}
    seen: list[tuple[float, int]] = []

    async def ops(request: Request) -> Response:
        if request.method == "PATCH":
            change = msgspec.json.decode(await request.body())
            room.update(rate_per_s=change["rate_per_s"], burst=change["burst"])
            seen.append((change["rate_per_s"], change["burst"]))
        return JSONResponse(room)

    url = await serve(Starlette(routes=[Route("/v1/ops/rooms/demo", ops, methods=["GET", "PATCH"])]))

    def fail() -> None:
        with closing(Operator(url, "demo", "token")) as operator, operator.drill(50, 10):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await asyncio.to_thread(fail)
    assert seen == [(50, 10), (5.0, 3)]
    room["state"] = "paused"
    with pytest.raises(RoomError, match="paused"):
        await asyncio.to_thread(fail)


def test_a_trail_is_read_while_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "trails.jsonl"
    writer = Writer(path)
    reader = Reader(path)
    first, second = Event(0, "join", 1.0, 2.0, 201, place=1), Event(1, "join", 1.5, 2.5, 201, place=2)
    writer.write(first)
    writer.flush()
    assert list(reader.read()) == [first]
    half = msgspec.json.encode(second)
    with path.open("ab") as file:
        file.write(half[:10])
    assert list(reader.read()) == []
    with path.open("ab") as file:
        file.write(half[10:] + b"\n")
    assert list(reader.read()) == [second]
    reader.close()
    writer.close()
