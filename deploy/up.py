"""``vestibule up``: start, say where everything is, watch, stop."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.panel import Panel

from deploy import demo, identity
from deploy.datadir import Addresses, write_addresses
from deploy.stack import Stack
from deploy.tables import facts
from origin.admin.officials import AUTHOR, OPERATOR, OVERRIDER, REVIEWER, SUPPORT
from origin.sites.staff import SITE_STAFF

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """Somebody asked us to stop. A KeyboardInterrupt, so that event loops let it through."""


@contextmanager
def stoppable(hurry: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into Stopped, and let every further one call ``hurry``.

    Gives a function that ends the first phase early: from then on no Stopped is raised.
    """
    stopping = False

    def settle() -> None:
        nonlocal stopping
        stopping = True

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if stopping:
            hurry()
        else:
            settle()
            raise Stopped

    before = {number: signal.signal(number, on_signal) for number in _STOPPING}
    try:
        yield settle
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def running(stack: Stack, *, whole: bool = True) -> Iterator[None]:
    """Run the body beside a started stack (``whole``) or its stores alone; nothing is left of it afterwards.

    Raises:
        StackError, StoreError: it does not start, or a part of it ended (raised by ``stack.check`` in the body).
        Stopped: by signal.
    """
    with stack.data.locked(), stoppable(stack.kill) as settle:
        try:
            stack.start(whole=whole)
            yield
        finally:
            settle()
            stack.stop()


class Narrator:
    """Tells what is being done: on a terminal in one line that changes, elsewhere a line each."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("Starting")

    def say(self, text: str) -> None:
        """Tell what is being done now."""
        if self._console.is_terminal:
            self._status.update(text)
            self._status.start()
        else:
            self._console.print(text, highlight=False)

    def hush(self) -> None:
        """Leave the terminal to others."""
        self._status.stop()


def up(stack: Stack, narrator: Narrator, console: Console, ready_file: Path | None) -> None:
    """Run the stack until somebody stops it.

    Raises:
        StackError, StoreError: it does not start, or a part of it ended; nothing is left running.
    """
    try:
        _forget(ready_file)
        with running(stack):
            narrator.hush()
            console.print(welcome(stack.addresses()))
            if ready_file is not None:
                write_addresses(ready_file, stack.addresses())
            try:
                stack.watch()
            finally:
                narrator.say("Stopping")
    except Stopped:
        narrator.hush()
        console.print("Stopped. The data stays; `make up` finds it again.", highlight=False)
    finally:
        narrator.hush()
        _forget(ready_file)


def _forget(ready_file: Path | None) -> None:
    if ready_file is not None:
        ready_file.unlink(missing_ok=True)


def welcome(addresses: Addresses) -> Panel:
    """Return what a newcomer needs to know."""
    who, booking = identity.who, addresses["origin_url"]
    rows = (
        ("Waiting page", f"{addresses['edge_url']}/rooms/{demo.ROOM}"),
        ("Booking", f"{booking}/"),
        ("Sign-in", f"{addresses['identity_url']}/  (one click: {who('visitor')})"),
        ("Rules", f"{booking}/admin  ({who(AUTHOR)} writes, {who(REVIEWER)} reviews, {who(OPERATOR)} rolls back)"),
        ("Support", f"{booking}/support  ({who(SUPPORT)} looks up, {who(OVERRIDER, ' and ')} make exceptions)"),
        ("Sites", f"{booking}/site  ({who(SITE_STAFF + ':1')} works at the first)"),
        ("Operators", ".venv/bin/vestibule token --role operator --sub olga"),
        ("API", f"{addresses['edge_url']}/openapi.json  {addresses['origin_url']}/openapi.json"),
        ("Data, logs", addresses["data_dir"]),
        ("Stop", "Ctrl-C"),
    )
    return Panel(facts(rows), title="Vestibule is open", expand=False)
