"""``vestibule passes``: a batch of cohort passes, as a table for the programme that prints letters."""

import csv
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from deploy.errors import StackError
from edge.guard.passes import Passes, batch_of
from shared.ids import Ids

COLUMNS = ("cohort", "batch", "number", "pass")
_TOLD_EVERY = 5_000


def issue(passes: Passes, ids: Ids, *, room: str, lane: str, count: int, out: Path, made: Callable[[int], None]) -> str:
    """Write ``count`` passes of a new batch to ``out``; return the batch. Tells ``made`` how many there are by now.

    Only the file's owner can read it, for each row is worth a place. It is gone again where not all could be written.

    Raises:
        StackError: the file exists already, or cannot be written.
    """
    batch = batch_of(ids.secret(16))
    with _new_file(out) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for n in range(1, count + 1):
            table.writerow((lane, batch, n, passes.issue(room, lane, batch, n)))
            if n % _TOLD_EVERY == 0:
                made(n)
    made(count)
    return batch


@contextmanager
def _new_file(path: Path) -> Iterator[TextIO]:
    """Open a private file that never takes another's name, and leaves nothing behind when it could not be finished."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise StackError(f"{path} exists; passes are never written over others") from None
    except OSError as error:
        raise StackError(f"cannot write {path}: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "w", encoding="ascii", newline="") as file:
            yield file
    except BaseException as error:
        path.unlink()
        if isinstance(error, OSError):
            raise StackError(f"cannot write {path}: {error.strerror}") from error
        raise
