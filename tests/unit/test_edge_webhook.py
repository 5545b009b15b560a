"""How events are signed: as Standard Webhooks has it, by a check that shares no code with what signs."""

import base64
from pathlib import Path

import pytest

from edge.config import EdgeSettings
from edge.events.courier import Patience
from edge.events.webhook import Target, WebhookError, load_secrets, sign
from shared.ids import SystemIds
from shared.settings import load
from tests.receiver import SECRET, SECRET_BYTES, NotGenuine, check

NOW = 1_800_000_000
BODY = b'{"id":"evt_demo_1_paused_7"}'


def headers(body: bytes = BODY, at: int = NOW) -> dict[str, str]:
    signature = sign([SECRET_BYTES], "evt_demo_1_paused_7", at, body)
    return {"webhook-id": "evt_demo_1_paused_7", "webhook-timestamp": str(at), "webhook-signature": signature}


def test_a_delivery_is_genuine_until_a_byte_of_it_is_changed() -> None:
    check(SECRET, headers(), BODY, NOW + 60)
    for changed, body in [
        ({}, BODY.replace(b"7", b"8")),
        ({"webhook-id": "evt_demo_1_paused_8"}, BODY),
        ({"webhook-timestamp": str(NOW + 1)}, BODY),
        ({"webhook-signature": ""}, BODY),
    ]:
        with pytest.raises(NotGenuine):
            check(SECRET, headers() | changed, body, NOW + 60)
    other = f"whsec_{base64.b64encode(bytes(32)).decode()}"
    with pytest.raises(NotGenuine):
        check(other, headers(), BODY, NOW)
    with pytest.raises(NotGenuine, match="old"):
        check(SECRET, headers(), BODY, NOW + 301)


def test_a_known_answer_of_other_implementations_comes_out() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_changes_events_are_signed_with_both(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"a-plain-text-is-taken-as-it-is\n{SECRET}\n")
    secrets = load_secrets(path)
    assert secrets == (b"a-plain-text-is-taken-as-it-is", SECRET_BYTES)
    both = headers() | {"webhook-signature": sign(secrets, "evt_demo_1_paused_7", NOW, BODY)}
    check(SECRET, both, BODY, NOW)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "no secret"),
        ("\n", "no secret"),
        ("whsec_%%%", "base64"),
        ("whsec_c2hvcnQ=", "shorter"),
        ("t1ny", "shorter"),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused_and_not_shown(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "secret"
    path.write_text(text)
    with pytest.raises(WebhookError, match=named) as refused:
        load_secrets(path)
    assert not text.strip() or text not in str(refused.value)
    with pytest.raises(WebhookError, match="missing"):
        load_secrets(tmp_path / "missing")


def test_a_target_shows_neither_its_address_nor_its_secrets() -> None:
    target = Target("https://example.org/hooks/t0ken", (SECRET_BYTES,))
    assert "t0ken" not in f"{target} {target.mark}"
    assert "secret" not in repr(target).replace("secrets", "")


@pytest.mark.parametrize("given", ["WEBHOOK_URL", "WEBHOOK_SECRET_FILE"])
def test_an_address_without_a_secret_or_a_secret_without_an_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    required = ("ROOMS_FILE", "TICKET_KEYS_FILE", "ADMISSION_KEYS_FILE")
    for name in required:
        monkeypatch.setenv(f"VESTIBULE_{name}", "/nowhere")
    for name in ("REDIS_URL", "EDGE_PUBLIC_URL", "ORIGIN_PUBLIC_URL", given):
        monkeypatch.setenv(f"VESTIBULE_{name}", "http://127.0.0.1/s3cret")
    with pytest.raises(SystemExit):
        load(EdgeSettings)
    told = capsys.readouterr().err
    assert "VESTIBULE_WEBHOOK_URL and VESTIBULE_WEBHOOK_SECRET_FILE: set both, or neither" in told
    assert "s3cret" not in told


def test_pauses_double_with_jitter_from_a_second_to_five_minutes() -> None:
    ids = SystemIds()
    for failures, low, high in [(1, 1, 2), (2, 2, 4), (5, 16, 32), (9, 150, 300), (5_000, 150, 300)]:
        pauses = [Patience().pause_s(failures, ids) for _ in range(200)]
        assert low <= min(pauses) <= max(pauses) <= high
        assert len(set(pauses)) > 100, "spread, so that many rooms do not come at once"
