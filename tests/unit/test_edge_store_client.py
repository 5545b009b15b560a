"""How the store's address is read: one server, or a cluster."""

import pytest
from redis.asyncio import Redis

from edge.line.store import Cluster, connect


@pytest.mark.parametrize(
    ("addresses", "kind"),
    [
        ("redis://127.0.0.1:6379/2", Redis),
        ("redis://127.0.0.1:6379/0?cluster=true", Cluster),
        ("rediss://user:word@store.example:6380?cluster=true&ssl_cert_reqs=none", Cluster),
        ("redis://127.0.0.1:7001, redis://127.0.0.1:7002/0", Cluster),
    ],
)
async def test_an_address_says_whether_it_is_a_cluster(addresses: str, kind: type) -> None:
    client = connect(addresses)
    try:
        assert type(client) is kind
    finally:
        await client.aclose()


@pytest.mark.parametrize("addresses", ["", "127.0.0.1:6379", "redis://a:1,", "redis://a:1,redis://"])
def test_what_is_no_address_is_an_error(addresses: str) -> None:
    with pytest.raises(ValueError, match="an address of the store needs"):
        connect(addresses)
