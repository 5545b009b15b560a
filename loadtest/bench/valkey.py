"""The little that benchmarks ask the store itself, in its protocol (RESP2): memory used, time spent in scripts."""

import socket
from urllib.parse import unquote, urlsplit

from loadtest.bench.machine import BenchError


class Valkey:
    """One connection to Redis or Valkey."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 6379), timeout=30)
        self._answers = self._socket.makefile("rb")
        if parts.password:
            self.ask("AUTH", unquote(parts.username or "default"), unquote(parts.password))
        if parts.path.strip("/"):
            self.ask("SELECT", parts.path.strip("/"))

    def ask(self, *words: str) -> object:
        """Send a command; return its answer as bytes, int, None or a list of these.

        Raises:
            BenchError: the store answers with an error.
        """
        encoded = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
        self._socket.sendall(f"*{len(words)}\r\n{''.join(encoded)}".encode())
        return self._answer()

    def used_memory(self) -> int:
        """Return the bytes that the store's data, buffers and bookkeeping use."""
        return int(self._told("memory", b"used_memory:", b"\r\n"))

    def scripts_s(self) -> float:
        """Return the seconds that the store has spent in scripts since it started, what these call included."""
        told = self._told("commandstats", b"cmdstat_evalsha:", b"\r\n")
        return int(told.partition(b",usec=")[2].partition(b",")[0] or 0) / 1e6

    def forget(self, pattern: str) -> None:
        """Delete the keys that match."""
        cursor = "0"
        while True:
            answer = self.ask("SCAN", cursor, "MATCH", pattern, "COUNT", "1000")
            assert isinstance(answer, list)
            cursor = answer[0].decode()
            for key in answer[1]:
                self.ask("DEL", key.decode())
            if cursor == "0":
                return

    def close(self) -> None:
        """Hang up."""
        self._answers.close()
        self._socket.close()

    def _told(self, section: str, before: bytes, after: bytes) -> bytes:
        answer = self.ask("INFO", section)
        assert isinstance(answer, bytes)
        return answer.partition(before)[2].partition(after)[0]

    def _answer(self) -> object:
        line = self._answers.readline()
        kind, rest = line[:1], line[1:-2]
        match kind:
            case b"+":
                return rest
            case b":":
                return int(rest)
            case b"$":
                return None if rest == b"-1" else self._answers.read(int(rest) + 2)[:-2]
            case b"*":
                return [self._answer() for _ in range(int(rest))]
            case _:
                raise BenchError(f"the store answers: {line.decode(errors='replace').strip()}")
