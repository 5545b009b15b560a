"""What a page weighs on the way: each part of it as the edge sends it, compressed."""

from playwright.async_api import Page, Request

MOST_BYTES = 20 * 1024


async def weight_of(page: Page, address: str) -> dict[str, int]:
    """Load a page; return the bytes of each of its parts by address."""
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    await page.goto("about:blank")  # nothing of the page before is still on its way
    page.on("request", note)
    await page.goto(address, wait_until="networkidle")
    page.remove_listener("request", note)
    parts = [url for url in asked if "/v1/" not in url]
    assert len(set(parts)) == len(parts), "a part was loaded twice"
    answers = [await page.context.request.get(url, headers={"Accept-Encoding": "gzip"}) for url in parts]
    return {answer.url: int(answer.headers["content-length"]) for answer in answers}
