"""The whole of Vestibule on one machine: stores, identity provider, edge, origin and worker, as our children."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from deploy import children, environment, identity, issuer
from deploy.children import Child
from deploy.datadir import Addresses, DataDir, write_addresses
from deploy.errors import StackError
from deploy.migrations import migrate
from deploy.ready import wait_for_all
from deploy.settings import StackSettings, variable
from deploy.stores import Postgres, Valkey, check_port
from shared.ids import SystemIds

_START_TIMEOUT_S = 60
_WATCH_EVERY_S = 0.2

# For a laptop: everything is written through to the disk, the rest is kept small.
POSTGRES_OPTIONS = {
    "fsync": "on",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "max_connections": "100",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}


@dataclass
class Stack:
    """One stack. ``say`` hears what is being done; ``seed`` puts the demo programme into a migrated database.
    Without ``persist_line`` its Valkey keeps nothing on disk.

    Start it in the main thread: the children live as long as the thread that started them.
    """

    settings: StackSettings
    say: Callable[[str], None]
    seed: Callable[[str], None]
    children: list[Child] = field(default_factory=list)
    persist_line: bool = True

    def __post_init__(self) -> None:
        self.data = DataDir(self.settings.data_dir)
        given = self.settings
        self._postgres = None if given.database_url else self._own_postgres()
        self._valkey = None if given.redis_url else self._own_valkey()
        self.database_url = str(given.database_url) if given.database_url else self._own_postgres().url()
        self.redis_url = str(given.redis_url) if given.redis_url else self._own_valkey().url

    def start(self, *, whole: bool = True) -> None:
        """Start everything, as far as possible at the same time, and wait until all of it answers.

        Args:
            whole: False starts only the stores, migrated and seeded.

        Raises:
            StackError, StoreError: what is wrong; ``stop`` must be called then too.
        """
        self._check_ports()
        self._prepare_files()
        if whole:
            self._start("identity", *identity.arguments(self.settings.identity_port))  # it takes longest to wake
        self._start_valkey()
        if whole:
            self._start("edge", sys.executable, "-m", "edge")  # wakes while PostgreSQL does
        self._start_postgres()
        self._prepare_database()
        if whole:
            self._start("origin", sys.executable, "-m", "origin")
            self._start("worker", sys.executable, "-m", "origin.worker")
            self.say("Waiting for everything to answer")
            wait_for_all(self._ready_urls(), self.check, timeout_s=_START_TIMEOUT_S)
            write_addresses(self.data.running, self.addresses())

    def _check_ports(self) -> None:
        for port_field, port in self.settings.used_ports:
            check_port(port, variable(port_field))

    def _prepare_files(self) -> None:
        """Make keys and the local issuer where they are missing; write the rooms."""
        self.data.running.unlink(missing_ok=True)
        issuer.ensure_key_rings(self.data, SystemIds())
        issuer.LocalIssuer(self.data.issuer).ensure()
        environment.write_rooms(self.data, self.settings)

    def _start_valkey(self) -> None:
        if self._valkey is not None:
            self.say("Starting Valkey")
            self._valkey.start()
            self._adopt("valkey", self._valkey)

    def _start_postgres(self) -> None:
        if self._postgres is not None:
            self.say("Starting PostgreSQL")
            self._postgres.start()
            self._adopt("postgres", self._postgres)

    def _prepare_database(self) -> None:
        """Migrate, and seed the demo programme where it is missing or running out."""
        self.say("Migrating")
        migrate(self.database_url)
        self.seed(self.database_url)

    def service_environment(self) -> dict[str, str]:
        """Return what edge, origin and worker are told."""
        return environment.services(self.settings, self.data, database_url=self.database_url, redis_url=self.redis_url)

    def addresses(self) -> Addresses:
        """Return where everything answers."""
        return {
            "edge_url": self.settings.url("edge_port"),
            "origin_url": self.settings.url("origin_port"),
            "identity_url": self.settings.url("identity_port"),
            "database_url": self.database_url,
            "redis_url": self.redis_url,
            "data_dir": str(self.data.root.resolve()),
            "pids": {child.name: child.process.pid for child in self.children},
        }

    def check(self) -> None:
        """Raise ChildDied when one of the processes has ended."""
        for child in self.children:
            child.check()

    def watch(self) -> None:
        """Return never; raise ChildDied as soon as one of the processes has ended."""
        while True:
            self.check()
            time.sleep(_WATCH_EVERY_S)

    def stop(self) -> None:
        """End everything, the last started first. Nothing committed is lost. May be called at any moment, and twice."""
        self.data.running.unlink(missing_ok=True)
        while self.children:
            self.children[-1].stop()
            self.children.pop()
        for store in (self._postgres, self._valkey):  # one that was interrupted while it started
            if store is not None:
                store.stop()

    def kill(self) -> None:
        """``kill -9`` everything."""
        for child in reversed(self.children):
            child.kill()

    def lose_line(self, away_s: float = 1.0) -> str:
        """``kill -9`` our Valkey, start it again after ``away_s``; return what was done.

        Raises:
            StackError: the store is not ours.
        """
        if self._valkey is None:
            raise StackError("KILL_STORE kills a store of our own; leave VESTIBULE_REDIS_URL out")
        self._valkey.kill()
        time.sleep(away_s)
        self._valkey.start()
        place = next(index for index, child in enumerate(self.children) if child.name == "valkey")
        del self.children[place]
        self._adopt("valkey", self._valkey)
        self.children.insert(place, self.children.pop())
        return f"the line's store was killed, and came back empty after {away_s:g} s"

    def _own_valkey(self) -> Valkey:
        return Valkey(self.data.valkey, self.settings.valkey_port, persist=self.persist_line)

    def _own_postgres(self) -> Postgres:
        return Postgres(self.data.postgres, self.settings.postgres_port, POSTGRES_OPTIONS)

    def _adopt(self, name: str, store: Postgres | Valkey) -> None:
        if store.process is not None:
            self.children.append(Child(name, store.process, store.log_path, close=store.stop))

    def _start(self, name: str, *command: str) -> None:
        self.say(f"Starting the {name}")
        self.children.append(children.start(name, command, self.service_environment(), self.data.log(name)))

    def _ready_urls(self) -> dict[str, str]:
        return {
            "identity": self.settings.url("identity_port") + "/.well-known/openid-configuration",
            "edge": self.settings.url("edge_port") + "/readyz",
            "origin": self.settings.url("origin_port") + "/readyz",
        }
