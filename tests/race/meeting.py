"""A race that happens every time, however busy the machine is: for negative controls."""

import asyncio


class Meeting:
    """Where the first two wait for each other; later ones pass."""

    def __init__(self) -> None:
        self._came = 0
        self._both = asyncio.Event()

    async def __call__(self) -> None:
        self._came += 1
        if self._came == 2:
            self._both.set()
        async with asyncio.timeout(10):
            await self._both.wait()
