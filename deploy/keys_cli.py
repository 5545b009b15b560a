"""The commands of ``vestibule keys``. They print identifiers, never keys."""

import sys
from typing import Annotated

import typer

from deploy.explained import explained
from deploy.keys import SAFE_AGE_S, KeyFile, KeySettings, Ring
from shared.clock import SystemClock
from shared.ids import SystemIds
from shared.settings import load

app = typer.Typer(name="keys", help="Change signing keys while people wait; nobody is refused.", no_args_is_help=True)

RingOption = Annotated[Ring, typer.Option(help="Which ring; each is shared by all services that use it.")]
KidArgument = Annotated[str, typer.Argument(help="A key's identifier, as `keys list` shows it.")]


@app.command("list")
def list_keys(ring: RingOption) -> None:
    """Show a ring's keys; the one that signs is marked."""
    with explained():
        found = _file(ring).load()
        for kid in found.kids:
            sys.stdout.write(f"{kid}{'  signs' if kid == found.current else ''}\n")


@app.command()
def add(ring: RingOption) -> None:
    """First step: make a new key known. It does not sign yet."""
    with explained():
        sys.stdout.write(_file(ring).add() + "\n")


@app.command()
def use(ring: RingOption, kid: KidArgument) -> None:
    """Second step, once the file with the new key is on every machine: let it sign."""
    with explained():
        before = _file(ring).use(kid)
        sys.stdout.write(f"{kid} signs now, {before} no longer\n")


@app.command()
def retire(ring: RingOption, kid: KidArgument) -> None:
    """Last step, when nothing that it signed is needed any more: drop a key."""
    with explained():
        _file(ring).retire(kid)
        sys.stdout.write(f"{kid} is gone\n")


@app.command()
def rotate(
    ring: RingOption,
    retire: Annotated[str | None, typer.Option(help="Also drop this key, of an earlier rotation.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds until every service knows the new key.", min=SAFE_AGE_S)] = 5.0,
) -> None:
    """Add a key, wait, let it sign. For services that read this very file."""
    with explained():
        kid, before = _file(ring).rotate(wait, retire)
        sys.stdout.write(f"{kid} signs now, {before} no longer\n")
        if retire is not None:
            sys.stdout.write(f"{retire} is gone\n")


def _file(ring: Ring) -> KeyFile:
    return KeyFile(load(KeySettings).file(ring), SystemClock(), SystemIds())
