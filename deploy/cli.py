"""The ``vestibule`` command."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy import (
    decision_cli,
    feed_cli,
    keys_cli,
    lottery_cli,
    passes_cli,
    playbook_cli,
    policies_cli,
    programme_cli,
    room_cli,
    rule_versions_cli,
    rules_cli,
    supply_cli,
)
from deploy.datadir import DataDir
from deploy.errors import ChildDied, StackError
from deploy.settings import StackSettings
from deploy.stores import StoreError
from shared.clock import SystemClock
from shared.settings import load

app = typer.Typer(
    name="vestibule",
    help="Opens an immunization programme to a whole country: a fair waiting room in front of exact booking.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(feed_cli.app)
app.add_typer(keys_cli.app)
app.add_typer(lottery_cli.app)
app.add_typer(passes_cli.app)
app.add_typer(room_cli.app)
app.add_typer(decision_cli.app)
app.add_typer(rules_cli.app)
app.add_typer(supply_cli.app)
_programme = typer.Typer(
    name="programme", help="What a programme allows people to hold and to change.", no_args_is_help=True
)
_programme.command()(policies_cli.show)
_programme.add_typer(programme_cli.course)
_programme.command("set")(policies_cli.set_)
app.add_typer(_programme)
rules_cli.app.add_typer(rule_versions_cli.app)
rules_cli.app.command()(playbook_cli.replay)
rules_cli.app.command("verify-decisions")(playbook_cli.verify_decisions)
rules_cli.app.command()(playbook_cli.fallback)
app.command()(playbook_cli.freeze)
app.command()(playbook_cli.unfreeze)

_console = Console()
_errors = Console(stderr=True)
_MAX_TTL_S = 366 * 24 * 3600


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what the reader can set right into one line on standard error, and end with its status."""
    try:
        yield
    except (StackError, StoreError) as error:
        if isinstance(error, ChildDied) and error.tail:
            _errors.print(error.tail, style="dim", markup=False, highlight=False)
        _errors.print(f"vestibule: {error}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(getattr(error, "exit_status", 2)) from None


@app.command()
def up(
    ready_file: Annotated[
        Path | None, typer.Option(help="Write the addresses here as JSON once everything answers.")
    ] = None,
) -> None:
    """Start everything on this machine; Ctrl-C stops it."""
    settings = load(StackSettings)
    with _explained():
        from deploy.stack import Stack
        from deploy.up import Narrator
        from deploy.up import up as run

        narrator = Narrator(_console)

        def sow(database_url: str) -> None:
            from deploy.seed import seed  # brings the origin in: while the first children wake already

            seed(database_url, settings, SystemClock(), narrator.say)

        run(Stack(settings, narrator.say, sow), narrator, _console, ready_file)


@app.command()
def token(
    sub: Annotated[str, typer.Option(help="Who the token speaks for.")],
    role: Annotated[list[str] | None, typer.Option(help="A role; may be given more than once.")] = None,
    ttl: Annotated[int, typer.Option(help="Seconds it lives.", min=1, max=_MAX_TTL_S)] = 8 * 3600,
) -> None:
    """Print a bearer token of the local stack's issuer, which no production configuration trusts."""
    settings = load(StackSettings)
    with _explained():
        from deploy.issuer import LocalIssuer

        issuer = LocalIssuer(DataDir(settings.data_dir).issuer)
        text = issuer.mint(sub=sub, roles=role or ["visitor"], now=SystemClock().unix(), ttl_s=ttl)
        sys.stdout.write(text + "\n")


@app.command()
def migrate() -> None:
    """Create the database where it is missing, and bring it to this version's schema."""
    settings = load(StackSettings)
    with _explained():
        from deploy.migrations import migrate as run

        _console.print(run(_database_url(settings)) or "Nothing to do.", markup=False, highlight=False)


@app.command()
def seed() -> None:
    """Put the demo programme into a migrated database, or add the days it has run out of."""
    settings = load(StackSettings)
    with _explained():
        from deploy.seed import seed as run

        def say(text: str) -> None:
            _console.print(text, highlight=False)

        run(_database_url(settings), settings, SystemClock(), say)
        say("The demo programme is there.")


@app.command()
def drill() -> None:
    """Opening day: VISITORS, SPIKE, RATE, NO_SHOW; on a stack of its own, or on EDGE and ORIGIN."""
    settings = load(StackSettings)
    with _explained():
        from deploy.crowds import drill as run

        raise typer.Exit(run(settings, _console))


@app.command()
def bench(
    only: Annotated[
        str | None, typer.Option(help="Measure one part: edge, origin, or search, which is a part of origin.")
    ] = None,
) -> None:
    """Measure every speed as a ratio; writes build/bench.json."""
    settings = load(StackSettings)
    with _explained():
        from deploy.crowds import bench as run

        raise typer.Exit(run(settings, _console, only))


def _database_url(settings: StackSettings) -> str:
    if settings.database_url is not None:
        return str(settings.database_url)
    running = DataDir(settings.data_dir).addresses()
    if running is None:
        raise StackError("no database: set VESTIBULE_DATABASE_URL, or start the stack with `make up`")
    return running["database_url"]


def main() -> None:
    """Run the command line."""
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    app()
