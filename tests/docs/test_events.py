"""What docs/events.md shows is true: its receiver checks real deliveries, its event and its types are those sent."""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from edge.events.happenings import KINDS, Happening
from edge.events.webhook import sign
from tests.conftest import ROOT
from tests.receiver import SECRET, SECRET_BYTES

PAGE = (ROOT / "docs/events.md").read_text()
NOW = 1_800_000_000


def shown(language: str) -> str:
    [snippet] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(snippet)


def test_the_receiver_that_is_shown_takes_what_is_genuine_and_nothing_else() -> None:
    namespace: dict[str, Any] = {}
    exec(shown("python"), namespace)
    genuine: Callable[..., bool] = namespace["genuine"]
    body = shown("json").encode()
    other = b"another-secret-that-is-changed.."
    headers = {
        "webhook-id": "evt_demo_1_paused_7",
        "webhook-timestamp": str(NOW),
        "webhook-signature": sign([other, SECRET_BYTES], "evt_demo_1_paused_7", NOW, body),
    }
    assert genuine(headers, body, SECRET, lambda: NOW + 299)
    assert not genuine(headers, body, SECRET, lambda: NOW + 301)
    assert not genuine(headers, body + b" ", SECRET, lambda: NOW)
    for name, changed in {
        "webhook-id": "evt_demo_1_paused_8",
        "webhook-timestamp": str(NOW + 1),
        "webhook-signature": "v1,",
    }.items():
        assert not genuine(headers | {name: changed}, body, SECRET, lambda: NOW)


def test_the_event_that_is_shown_is_one_and_every_field_is_explained() -> None:
    event = msgspec.json.decode(shown("json"), type=Happening)
    assert set(msgspec.json.decode(shown("json"))) == set(Happening.__struct_fields__)
    explained = set(re.findall(r"`(\w+)`", PAGE))
    assert set(Happening.__struct_fields__) - {"type", "room"} <= explained
    assert event.id.startswith(f"evt_{event.room}_1_paused_")


def test_the_types_that_are_listed_are_all_there_are() -> None:
    listed = re.findall(r"^\| `room\.(\w+)`", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(KINDS)
