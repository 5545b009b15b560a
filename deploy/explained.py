"""How commands fail: in one line on standard error, with the error's exit status."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from deploy.errors import StackError


@contextmanager
def explained() -> Iterator[None]:
    """Turn what the reader can set right into one line on standard error, and end with its status."""
    try:
        yield
    except StackError as error:
        sys.stderr.write(f"vestibule: {error}\n")
        raise typer.Exit(error.exit_status) from None
