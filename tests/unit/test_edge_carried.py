"""What a request carries, read from its raw headers in one go."""

import pytest

from edge.visitors.carried import Carried, ticket_of

COOKIE = b"vestibule_ticket_demo"
Headers = list[tuple[bytes, bytes]]


@pytest.mark.parametrize(
    ("headers", "ticket"),
    [
        ([], None),
        ([(b"cookie", COOKIE + b"=abc.def")], "abc.def"),
        ([(b"cookie", b"a=b; " + COOKIE + b"= abc.def ; c=d")], "abc.def"),
        ([(b"cookie", COOKIE + b"=abc.def"), (b"cookie", b"a=b")], "abc.def"),
        ([(b"cookie", b"x_" + COOKIE + b"=mine; " + COOKIE + b"=abc.def")], "abc.def"),
        ([(b"cookie", COOKIE + b"-2=other"), (b"authorization", b"Bearer token")], None),
        ([(b"cookie", COOKIE + b"=")], None),
        ([(b"authorization", b"ticket abc.def"), (b"cookie", COOKIE + b"=other")], "abc.def"),
    ],
)
def test_a_page_finds_the_same_ticket_as_the_api(headers: Headers, ticket: str | None) -> None:
    scope = {"headers": headers}
    assert Carried(scope).ticket("demo") == ticket
    assert ticket_of(scope, "demo") == ticket


@pytest.mark.parametrize(
    ("encodings", "takes"),
    [(b"", False), (b"br", False), (b"br, gzip", True), (b"gzip;q=0.5", True), (b"gzip;q=0, br", False)],
)
def test_an_answer_is_compressed_for_who_takes_it(encodings: bytes, takes: bool) -> None:
    headers: Headers = [(b"accept-encoding", encodings)] if encodings else []
    assert Carried({"headers": headers}).takes_gzip is takes
