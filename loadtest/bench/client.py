"""Preparation over HTTP at speed: many prepared requests over a few connections, every answer kept, in order."""

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

_CONNECTIONS = 32


def send_all(url: str, requests: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """Send complete HTTP requests to the server at ``url``; return status and body of each, in the requests' order.

    For answers with a ``Content-Length``, as our services give.
    """
    return asyncio.run(_send_all(url, requests))


async def _send_all(url: str, requests: Sequence[bytes]) -> list[tuple[int, bytes]]:
    parts = urlsplit(url)
    answers: list[tuple[int, bytes]] = [(0, b"")] * len(requests)
    numbers = iter(range(len(requests)))

    async def work() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for number in numbers:
            writer.write(requests[number])
            answers[number] = await _read(reader)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(work() for _ in range(min(_CONNECTIONS, len(requests)))))
    return answers


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    _, found, rest = head.partition(b"content-length:")
    length = int(rest.partition(b"\r\n")[0]) if found else 0
    return status, await reader.readexactly(length)
