"""A client of the line's store: one server, or a cluster. A room's keys share a hash tag, so they lie on one node."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.connection import HiredisRespSerializer
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import RedisClusterException
from redis.maint_notifications import MaintNotificationsConfig
from redis.typing import EncodableT

_TIMEOUT_S = 1.0
_pack = HiredisRespSerializer().pack


class _Connection(Connection):
    """A connection that packs commands in C and does not wait until one is written.

    Ours are small, and the deadline of the reply is that of both; redis-py makes a task and a timer for each writing.
    """

    async def send_command(self, *args: EncodableT, **_options: object) -> None:
        while (writer := self._writer) is None:
            await self.connect_check_health(check_health=False)
        try:
            writer.writelines(_pack(*args))  # type: ignore[arg-type]  # its annotation is not what it takes
        except BaseException:
            await self.disconnect(nowait=True)  # nobody knows how much of it was written
            raise


class Cluster(RedisCluster):
    """A cluster's client whose every fault is a RedisError, like that of a single server's."""

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command on the node that holds its keys."""
        try:
            return await super().execute_command(*args, **kwargs)
        except RedisClusterException as error:
            raise ConnectionLost(str(error)) from error
        except AttributeError as error:  # when a node goes, redis-py 8.1 closes connections under those who use them
            raise ConnectionLost("the connection was closed while it was used") from error


Store = Redis | RedisCluster


def connect(addresses: str) -> Store:
    """Return a client that fails fast: whoever waits is told to come back rather than kept.

    Args:
        addresses: one URL; several, separated by commas, are nodes of one cluster, and so is one with
            ``?cluster=true``. User, password and options are those of the first.

    Raises:
        ValueError: an address that is none.
    """
    first, *others = [_parse(address.strip()) for address in addresses.split(",")]
    url, is_cluster = first
    if not is_cluster and not others:
        return Redis.from_url(
            url,
            connection_class=_Connection,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
            # With a hosted service's notices on, redis-py 8.1 hands out connections that the store has closed
            # (redis-py issue 4252): after a restart, each would cost somebody an answer.
            maint_notifications_config=MaintNotificationsConfig(enabled=False),
        )
    return Cluster.from_url(
        url,
        startup_nodes=[_node(other) for other, _ in others],
        require_full_coverage=False,  # a node that is away takes its own rooms with it, not all of them
        socket_timeout=_TIMEOUT_S,
        socket_connect_timeout=_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


def _parse(address: str) -> tuple[str, bool]:
    """Return the URL without our own option, and whether that option was set."""
    parts = urlsplit(address)
    if not parts.scheme:
        raise ValueError("an address of the store needs a scheme, such as redis://")
    options = dict(parse_qsl(parts.query))
    is_cluster = options.pop("cluster", "").lower() in {"true", "yes", "1"}
    path = "" if is_cluster and parts.path in {"/", "/0"} else parts.path
    return urlunsplit(parts._replace(query=urlencode(options), path=path)), is_cluster


def _node(url: str) -> ClusterNode:
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("an address of the store needs a host")
    return ClusterNode(parts.hostname, parts.port or 6379)
