"""A Valkey Cluster on one machine: a few servers that share the slots, without replicas. For tests and trials.

It keeps nothing but its own map of nodes and slots: a node that was killed comes back empty and in its old place.
"""

import socket
import time
from dataclasses import dataclass, field
from pathlib import Path

from deploy.stores import StoreError, Valkey, free_port

_SLOTS = 16_384
_NODE_TIMEOUT_MS = 2_000


@dataclass
class ValkeyCluster:
    """``nodes`` servers on 127.0.0.1, on ports that were free."""

    data_dir: Path
    nodes: int = 3
    servers: list[Valkey] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The connection URLs of its nodes, as ``VESTIBULE_REDIS_URL`` takes them."""
        return ",".join(server.url for server in self.servers)

    def start(self, timeout_s: float = 20) -> None:
        """Start the servers, the first time share out the slots, and wait until every node knows all of them.

        Raises:
            StoreError: it does not come up in time.
        """
        fresh = not self.servers
        if fresh:
            self.servers = [self._server(number) for number in range(self.nodes)]
        for server in self.servers:
            if server.process is None:
                server.start(timeout_s)
        if fresh:
            self._share_out()
        self._wait(timeout_s)

    def stop(self) -> None:
        """Shut all of it down."""
        for server in self.servers:
            server.stop()

    def kill(self) -> None:
        """``kill -9`` all of it; for fault tests."""
        for server in self.servers:
            server.kill()

    def _server(self, number: int) -> Valkey:
        options = ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
        options += ["--cluster-node-timeout", str(_NODE_TIMEOUT_MS), "--cluster-require-full-coverage", "no"]
        return Valkey(self.data_dir / f"node{number}", free_port(), options=options)

    def _share_out(self) -> None:
        first = self.servers[0]
        for number, server in enumerate(self.servers):
            begin, end = (_SLOTS * part // self.nodes for part in (number, number + 1))
            _ask(server, f"CLUSTER ADDSLOTSRANGE {begin} {end - 1}")
            if server is not first:
                _ask(first, f"CLUSTER MEET 127.0.0.1 {server.port} {server.options[3]}")

    def _wait(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while not all(self._is_whole(server) for server in self.servers):
            if time.monotonic() > deadline:
                raise StoreError(f"the cluster did not come together within {timeout_s:.0f} s")
            time.sleep(0.05)

    def _is_whole(self, server: Valkey) -> bool:
        told = _ask(server, "CLUSTER INFO")
        return all(
            line in told
            for line in ("cluster_state:ok", f"cluster_slots_ok:{_SLOTS}", f"cluster_known_nodes:{self.nodes}")
        )


def _ask(server: Valkey, command: str) -> str:
    """Send one inline command (RESP) and return the answer's text.

    Raises:
        StoreError: the server refuses.
    """
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(command.encode() + b"\r\n")
        answer = b""
        while not answer.endswith(b"\r\n"):
            answer += connection.recv(65_536)
    if answer.startswith(b"-"):
        raise StoreError(f"{command.split()[1]}: {answer[1:].decode().strip()}")
    return answer.decode()
