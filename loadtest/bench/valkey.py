"""The little that benchmarks ask the store itself, in its protocol (RESP2): memory used, time spent in scripts."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from loadtest.bench.machine import BenchError

_LOGGED_FROM_US = 20  # a script takes longer, the single commands in it do not
_LOG_LENGTH = 10_000


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

    @contextmanager
    def logging(self) -> Iterator[None]:
        """Log what takes as long as a script does, for ``scripts_s``; at the end the store logs as it did before."""
        names = ("slowlog-log-slower-than", "slowlog-max-len")
        before = [self._setting(name) for name in names]
        self.ask("CONFIG", "SET", names[0], str(_LOGGED_FROM_US), names[1], str(_LOG_LENGTH))
        try:
            yield
        finally:
            self.ask("CONFIG", "SET", names[0], before[0], names[1], before[1])

    def scripts_s(self, room: str) -> float:
        """Return the seconds that the store has spent in a room's scripts while it logs, and forget them.

        Other rooms' scripts are not counted: each edge looks at all its rooms several times a second.
        """
        log = self.ask("SLOWLOG", "GET", "-1")
        self.ask("SLOWLOG", "RESET")
        assert isinstance(log, list)
        key = b"{%b}" % room.encode()
        took: list[int] = [each[2] for each in log if each[3][0] == b"EVALSHA" and key in b" ".join(each[3])]
        return sum(took) / 1e6

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

    def _setting(self, name: str) -> str:
        answer = self.ask("CONFIG", "GET", name)
        assert isinstance(answer, list)
        value: bytes = answer[1]
        return value.decode()

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
