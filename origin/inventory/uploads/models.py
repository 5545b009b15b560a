"""An upload, as it is told of."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from origin.inventory.bulk.report import Booked, Outcome, Report, Source

State = Literal["waiting", "running", "over", "failed"]
"""waiting: for the worker; running; over: there is a report; failed: there is none, although it was tried."""


class UploadedFile(msgspec.Struct, frozen=True):
    """A file that came. ``name``: without folders, and unlike the others of its upload."""

    name: str
    bytes: int


class Run(msgspec.Struct, frozen=True):
    """What is to be done with an upload: look only (``dry_run``), or bring it; ``booked``: about people in the way."""

    dry_run: bool = False
    booked: Booked | None = None


class Upload(msgspec.Struct, frozen=True):
    """Who brought what, who asked for its last run, and how far that is.

    ``step``: reading, comparing or merging, ``done`` out of ``total`` (bytes, or slots). ``files_kept``: it can be run
    again. ``outcome``: of the report, which only a single upload is told with.
    """

    id: UUID
    programme: str
    brought_by: str
    brought_at: datetime
    files: list[UploadedFile]
    files_kept: bool
    dry_run: bool
    booked: Booked | None
    asked_by: str
    asked_at: datetime
    state: State
    step: str
    done: int
    total: int
    ended_at: datetime | None
    outcome: Outcome | None = None
    report: Report | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing happens to it by itself any more."""
        return self.state in {"over", "failed"}


class Import(msgspec.Struct, frozen=True):
    """What was brought, by an upload or a command. ``finished_at`` None: under way, or broken off.

    ``counts``: as planned; once finished, as done.
    """

    id: UUID
    kind: Literal["import", "generate"]
    actor: str
    booked: Booked | None
    sources: list[Source]
    started_at: datetime
    finished_at: datetime | None
    counts: dict[str, dict[str, int]]


class Supplied(msgspec.Struct, frozen=True):
    """The newest uploads and imports of a programme."""

    uploads: list[Upload]
    imports: list[Import]
