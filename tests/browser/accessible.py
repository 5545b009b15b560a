"""What every page must be: without violations by axe at WCAG 2.2 AA, and without sideways scrolling at 320 px."""

import asyncio
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page

WIDTHS = (1280, 320)
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = "tags => axe.run({runOnly: tags, resultTypes: ['violations']})"
_HEIGHT = 900
_TIMEOUT_S = 30


async def faults_of(page: Page) -> list[str]:
    """Return what is wrong with a page at both widths, each fault in one line."""
    await page.wait_for_load_state()  # styles and all
    faults = []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": _HEIGHT})
        faults += [f"{page.url} at {width}: {fault}" for fault in await _axe(page)]
        taken = await page.evaluate("document.documentElement.scrollWidth")
        if taken > width:
            faults.append(f"{page.url} at {width}: scrolls sideways, {taken} px wide")
    await page.set_viewport_size({"width": WIDTHS[0], "height": _HEIGHT})
    return faults


async def _axe(page: Page) -> list[str]:
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE_SCRIPT)
    async with asyncio.timeout(_TIMEOUT_S):
        found: dict[str, Any] = await page.evaluate(_RUN, _TAGS)
    return [
        f"{violation['id']}: {violation['help']}: {[node['html'] for node in violation['nodes']]}"
        for violation in found["violations"]
    ]
