"""Whose request it is: what forwarded headers are believed, and how far back."""

import pytest
from pydantic import TypeAdapter
from pydantic.networks import IPvAnyNetwork

from edge.guard.addresses import Clients

PROXIES = TypeAdapter(tuple[IPvAnyNetwork, ...]).validate_python(["10.0.0.0/8", "2001:db8:ffff::/48"])
PROXY = "10.0.0.1"
XFF, FORWARDED = "x-forwarded-for", "forwarded"


def key(peer: str | None, *headers: tuple[str, str], trusted: bool = True) -> str:
    scope = {
        "client": None if peer is None else (peer, 1234),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
    }
    return Clients(PROXIES if trusted else ()).key(scope)


@pytest.mark.parametrize("header", [(XFF, "198.51.100.7"), (FORWARDED, "for=198.51.100.7")])
def test_forwarded_headers_are_believed_from_configured_proxies_alone(header: tuple[str, str]) -> None:
    assert key(PROXY, header) == "198.51.100.7"
    assert key("203.0.113.9", header) == "203.0.113.9"
    assert key(PROXY, header, trusted=False) == PROXY


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ([(XFF, "1.1.1.1, 198.51.100.7, 10.2.3.4")], "198.51.100.7"),
        ([(XFF, "1.1.1.1"), (XFF, "198.51.100.7,10.2.3.4")], "198.51.100.7"),
        ([(XFF, "10.9.9.9, 10.2.3.4")], "10.9.9.9"),
        ([(XFF, "198.51.100.7:4711")], "198.51.100.7"),
        ([(XFF, "[2001:db8:1:2:3::4]:4711")], "2001:db8:1:2::/64"),
        ([(XFF, "::ffff:198.51.100.7")], "198.51.100.7"),
        ([(XFF, "198.51.100.7, unknown, 10.2.3.4")], "10.2.3.4"),
        ([(XFF, "")], PROXY),
        ([(XFF, "198.51.100.7, <script>")], PROXY),
        ([(FORWARDED, 'for=1.1.1.1, For="[2001:db8:1:2::9]:80";proto=https;by=10.2.3.4')], "2001:db8:1:2::/64"),
        ([(FORWARDED, "by=10.2.3.4;for=198.51.100.7,for=10.3.3.3")], "198.51.100.7"),
        ([(FORWARDED, 'for="198\\.51.100.7"')], "198.51.100.7"),
        ([(FORWARDED, 'for=198.51.100.7, for="_hidden"')], PROXY),
        ([(FORWARDED, "for=198.51.100.7, proto=https")], PROXY),
        ([(FORWARDED, 'for=198.51.100.7, for="')], PROXY),
        ([(FORWARDED, "for=198.51.100.7"), (XFF, "198.51.100.7")], "198.51.100.7"),
    ],
)
def test_the_right_most_hop_that_is_no_proxy_of_ours_is_the_client(headers: list[tuple[str, str]], client: str) -> None:
    assert key(PROXY, *headers) == client


def test_a_header_that_the_client_has_added_beside_the_proxys_own_wins_nothing() -> None:
    assert key(PROXY, (XFF, "203.0.113.9"), (FORWARDED, "for=198.51.100.7")) == PROXY


def test_hops_without_end_are_not_followed() -> None:
    assert key(PROXY, (XFF, ", ".join(["198.51.100.7"] + ["10.1.1.1"] * 1000))) == "10.1.1.1"


def test_ipv6_counts_by_what_one_subscriber_gets() -> None:
    assert key("2001:db8:1:2:3:4:5:6") == key("2001:db8:1:2::ffff") == "2001:db8:1:2::/64"
    assert key("2001:db8:1:3::1") != key("2001:db8:1:2::1")
    assert key("2001:db8:ffff::1", (XFF, "2001:db8:1:2::1")) == "2001:db8:1:2::/64"
    assert key("::ffff:203.0.113.9", trusted=False) == "203.0.113.9"


def test_without_an_address_all_count_as_one() -> None:
    assert key(None) == key("") == ""
    assert key("testclient") == "testclient"
