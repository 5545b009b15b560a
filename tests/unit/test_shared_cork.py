"""What connections write in one turn of the loop leaves together, in order, and nobody waits for another's fault."""

import asyncio
from threading import Thread
from typing import cast

import pytest

from shared.cork import Cork


class Wire(asyncio.Transport):
    """A transport that notes what leaves, in the order of all that do."""

    def __init__(self, left: list[tuple[str, bytes]], name: str) -> None:
        super().__init__()
        self.left = left
        self.name = name
        self.closed = False
        self.broken = False

    def write(self, data: object) -> None:
        if self.broken:
            raise OSError("gone")
        self.left.append((self.name, cast("bytes", data)))

    def write_eof(self) -> None:
        self.left.append((self.name, b"EOF"))

    def close(self) -> None:
        self.closed = True
        self.left.append((self.name, b"CLOSED"))

    def is_closing(self) -> bool:
        return self.closed


@pytest.fixture
def left() -> list[tuple[str, bytes]]:
    """What has left."""
    return []


async def corked(left: list[tuple[str, bytes]], name: str = "a") -> tuple[Cork, Wire]:
    wire = Wire(left, name)
    return Cork(wire, asyncio.get_running_loop()), wire


async def turn() -> None:
    await asyncio.sleep(0)


async def test_what_is_written_in_a_turn_leaves_at_its_end_in_one_piece_for_each_connection(
    left: list[tuple[str, bytes]],
) -> None:
    a, _ = await corked(left, "a")
    b, _ = await corked(left, "b")
    a.write(b"1")
    b.write(b"2")
    a.writelines([b"3", b"", b"4"])
    assert left == []
    await turn()
    assert left == [("a", b"134"), ("b", b"2")]
    a.write(b"5")
    await turn()
    assert left[2:] == [("a", b"5")]


async def test_nothing_is_sent_for_nothing(left: list[tuple[str, bytes]]) -> None:
    a, _ = await corked(left)
    a.write(b"")
    a.writelines([])
    await turn()
    assert left == []


async def test_whoever_writes_much_does_not_wait(left: list[tuple[str, bytes]]) -> None:
    a, _ = await corked(left)
    a.write(b"head")
    a.write(b"x" * 65_536)
    assert [len(data) for _, data in left] == [65_540]
    a.write(b"tail")
    await turn()
    assert left[1:] == [("a", b"tail")]


async def test_the_first_of_a_crowd_does_not_wait_for_all_of_it(left: list[tuple[str, bytes]]) -> None:
    corks = [(await corked(left, str(number)))[0] for number in range(40)]
    for cork in corks:
        cork.write(b".")
    assert len(left) == 32
    await turn()
    assert [name for name, _ in left] == [str(number) for number in range(40)]


async def test_one_connection_that_fails_keeps_nobody_waiting(left: list[tuple[str, bytes]]) -> None:
    a, wire = await corked(left, "a")
    b, _ = await corked(left, "b")
    wire.broken = True
    a.write(b"1")
    b.write(b"2")
    await turn()
    assert left == [("b", b"2")]


async def test_what_is_written_before_the_end_leaves_before_it(left: list[tuple[str, bytes]]) -> None:
    a, _ = await corked(left, "a")
    a.write(b"last words")
    a.close()
    b, _ = await corked(left, "b")
    b.write(b"all")
    b.write_eof()
    await turn()
    assert left == [("a", b"last words"), ("a", b"CLOSED"), ("b", b"all"), ("b", b"EOF")]


async def test_nothing_is_sent_to_whoever_has_gone(left: list[tuple[str, bytes]]) -> None:
    a, wire = await corked(left)
    a.write(b"1")
    wire.closed = True
    await turn()
    a.write(b"2")
    await turn()
    assert left == []


async def test_each_loop_has_turns_of_its_own(left: list[tuple[str, bytes]]) -> None:
    here, _ = await corked(left, "here")

    async def elsewhere() -> None:
        there, _ = await corked(left, "there")
        there.write(b"1")
        await turn()

    here.write(b"2")
    thread = Thread(target=asyncio.run, args=[elsewhere()])
    thread.start()
    thread.join()  # this turn goes on meanwhile
    assert left == [("there", b"1")]
    await turn()
    assert left[1:] == [("here", b"2")]


async def test_the_rest_is_the_transports_own(left: list[tuple[str, bytes]]) -> None:
    a, wire = await corked(left)
    wire._extra = {"peername": ("127.0.0.1", 9)}  # type: ignore[attr-defined]
    assert a.get_extra_info("peername") == ("127.0.0.1", 9)
