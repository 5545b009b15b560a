"""Where a feed lies: at an address, or in a folder with what was downloaded from one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import unquote, urljoin, urlsplit

import httpx

from deploy.errors import StackError

_TIMEOUT = httpx.Timeout(30, connect=10)  # seconds without anything coming
_CHUNK = 256 * 1024
_MANIFESTS = ("$bulk-publish", "$bulk-publish.json", "bulk-publish.json", "manifest.json")
_MANIFEST_TYPES = "application/json"
_FILE_TYPES = "application/fhir+ndjson"


class Missing(Exception):
    """A file that is listed and is not there; the message says why."""


@dataclass(frozen=True)
class Opened:
    """A file being read. ``media_type`` and ``cache`` are as the server says; None where there is no server."""

    name: str
    chunks: Iterator[bytes]
    media_type: str | None = None
    cache: str | None = None


class Source(Protocol):
    """``address`` is the manifest's, as it was given; None in a folder."""

    @property
    def address(self) -> str | None: ...

    @contextmanager
    def manifest(self) -> Iterator[Opened]:
        """Open the manifest; StackError where it cannot be read."""
        ...

    @contextmanager
    def file(self, url: str) -> Iterator[Opened]:
        """Open a file that the manifest lists; Missing where there is none, StackError where it cannot be read."""
        ...


@contextmanager
def source_of(given: str) -> Iterator["Web | Folder"]:
    """Open the source that is meant.

    Raises:
        StackError: it is neither an address nor a folder.
    """
    if given.startswith(("http://", "https://")):
        with httpx.Client(timeout=_TIMEOUT, follow_redirects=True) as client:
            yield Web(given, client)
    elif Path(given).is_dir():
        yield Folder(Path(given))
    else:
        raise StackError(f"{given} is neither the http address of a manifest nor a folder")


class Web:
    """A feed at an address."""

    def __init__(self, address: str, client: httpx.Client) -> None:
        self._given = address
        self._client = client

    @property
    def address(self) -> str | None:
        return self._given

    @contextmanager
    def manifest(self) -> Iterator[Opened]:
        try:
            with self._opened(self._given, _MANIFEST_TYPES) as opened:
                yield opened
        except Missing as missing:
            raise StackError(f"cannot read {self._given}: {missing}") from None

    @contextmanager
    def file(self, url: str) -> Iterator[Opened]:
        with self._opened(urljoin(self._given, url), _FILE_TYPES) as opened:
            yield opened

    @contextmanager
    def _opened(self, url: str, accept: str) -> Iterator[Opened]:
        try:
            with self._client.stream("GET", url, headers={"Accept": accept}) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise Missing(f"it answers {answer.status_code} {answer.reason_phrase}".rstrip())
                media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
                cache = answer.headers.get("cache-control", "")
                yield Opened(url, answer.iter_bytes(_CHUNK), media_type, cache)
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise Missing(str(error)) from None
        except httpx.HTTPError as error:
            raise StackError(f"cannot read {url}: {str(error) or type(error).__name__}") from None


class Folder:
    """A feed in a folder: a listed address stands for the file that has the end of its path, or its name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def address(self) -> str | None:
        return None

    @contextmanager
    def manifest(self) -> Iterator[Opened]:
        for name in _MANIFESTS:
            if (self._folder / name).is_file():
                with self._opened(self._folder / name) as opened:
                    yield opened
                return
        raise StackError(f"there is no manifest in {self._folder}; it is called {' or '.join(_MANIFESTS)}")

    @contextmanager
    def file(self, url: str) -> Iterator[Opened]:
        for path in self._candidates(url):
            if path.is_file():
                with self._opened(path) as opened:
                    yield opened
                return
        raise Missing(f"no such file in {self._folder}")

    def _candidates(self, url: str) -> Iterator[Path]:
        """Yield where the file may lie, the longest path first; with its query, as some downloaders name files."""
        try:
            address = urlsplit(url)
        except ValueError:
            return
        parts = [part for part in PurePosixPath(unquote(address.path)).parts if part not in {"/", ".", ".."}]
        for first in range(len(parts)):
            plain = self._folder.joinpath(*parts[first:])
            if address.query:
                yield plain.with_name(f"{plain.name}?{address.query}")
            yield plain

    @contextmanager
    def _opened(self, path: Path) -> Iterator[Opened]:
        try:
            with path.open("rb") as file:
                yield Opened(str(path.relative_to(self._folder)), iter(lambda: file.read(_CHUNK), b""))
        except OSError as error:
            raise StackError(f"cannot read {path}: {error.strerror}") from None
