"""A real Chromium on a real stack. What a page may never do is checked on every page that any test opens."""

import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Route,
    WebError,
    async_playwright,
    expect,
)

from deploy import browser
from deploy.stores import Postgres
from tests.browser.stack import Stack, running
from tests.conftest import _TEMPLATE

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
)
_TIMEOUT_MS = 15_000
_SIGNED = re.compile(r"[\w-]{40,}\.[\w-]{20,}")  # tickets, admission tokens and sessions look like this


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """Where Chromium is; without one these tests are skipped, or fail where CI=true."""
    path = browser.find()
    if path is None:
        message = "no Chromium: install it (`make test` does), or set CHROMIUM to its path"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(chromium_path: Path) -> AsyncIterator[Browser]:
    """One browser for the run; every test gets its own profile in it."""
    expect.set_options(timeout=_TIMEOUT_MS)  # a condition with a deadline that a busy machine keeps too
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium_path, args=list(_ARGUMENTS))
        yield launched
        await launched.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(
    chromium_path: Path, postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """The stack, one for the run."""
    admin = await asyncpg.connect(postgres_server.url("postgres"))
    await admin.execute(f"CREATE DATABASE browser TEMPLATE {_TEMPLATE}")
    async with running(tmp_path_factory.mktemp("stack"), postgres_server.url("browser")) as made:
        yield made
    await admin.execute("DROP DATABASE browser WITH (FORCE)")
    await admin.close()


@dataclass
class Watched:
    """What pages did that nobody sees."""

    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def note(self, request: Request) -> None:
        """Note a request."""
        self.requests.append(request)

    def fail(self, error: WebError) -> None:
        """Note a fault of a script."""
        self.complaints.append(str(error.error))

    def hear(self, message: ConsoleMessage) -> None:
        """Note errors and warnings; that a page had an error status is what some tests want."""
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.complaints.append(message.text)

    def polls(self) -> int:
        """How often the page asked where it stands."""
        return sum(request.url.endswith("/tickets/me") for request in self.requests)


def _elsewhere(stack: Stack) -> re.Pattern[str]:
    return re.compile("^(?!" + "|".join(re.escape(host) for host in (*stack.hosts, "data:", "blob:")) + ")")


async def _refuse(route: Route) -> None:
    await route.abort()


Visit = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="session")
async def watched() -> Watched:
    """What the pages of this test did."""
    return Watched()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(chromium: Browser, stack: Stack, watched: Watched) -> AsyncIterator[Visit]:
    """Open a page in a profile of its own: ``await visit(javascript=False, width=320)``."""
    contexts: list[BrowserContext] = []

    async def open_page(*, javascript: bool = True, width: int = 1280, height: int = 900) -> Page:
        context = await chromium.new_context(
            java_script_enabled=javascript, viewport={"width": width, "height": height}, locale="en-GB"
        )
        contexts.append(context)
        context.set_default_timeout(_TIMEOUT_MS)
        await context.route(_elsewhere(stack), _refuse)
        context.on("request", watched.note)
        context.on("console", watched.hear)
        context.on("weberror", watched.fail)
        return await context.new_page()

    yield open_page
    for context in contexts:
        for page in context.pages:
            await page.unroute_all(behavior="ignoreErrors")  # one that is being answered may find its page gone
        await context.close()
    assert watched.complaints == []
    foreign = [request for request in watched.requests if _elsewhere(stack).match(request.url)]
    ours = {request.url for request in foreign if not request.headers.get("referer", "").startswith(stack.identity_url)}
    assert not ours, "a page asked somebody else"
    assert not [request.url for request in watched.requests if _SIGNED.search(request.url)], "a token in an address"
