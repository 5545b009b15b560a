"""What an answer says, as far as the evidence needs it. Pure."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from loadtest.drill.trail import What


class Answer(msgspec.Struct):
    """An HTTP answer. ``status`` 0: none came."""

    status: int
    body: dict[str, Any]
    retry_after_s: float | None = None

    @property
    def code(self) -> str:
        """The problem's code, or "" for a success."""
        return str(self.body.get("code", "")) if self.status >= 400 else ""


def facts_of(what: What, answer: Answer) -> dict[str, Any]:
    """Return the fields of an Event that an answer's body gives."""
    body = answer.body
    if what in {"join", "standing"} and answer.status in {200, 201}:
        return _standing(body)
    if answer.status != (201 if what in {"claim", "book"} else 200):
        return {}
    if what == "claim":
        return _token(body)
    if what == "evaluate":
        return {"decision": str(body["decision_ref"]), "state": str(body["outcome"])}
    if what == "book":
        return {"appointment": str(body["id"])}
    return {}


def _standing(body: Mapping[str, Any]) -> dict[str, Any]:
    wait = body.get("wait") or {}
    return {
        "place": body.get("place"),
        "ahead": body.get("ahead"),
        "state": body["state"],
        "as_of": unix(body.get("as_of")),
        "wait_p50_s": wait.get("p50_s"),
        "wait_p90_s": wait.get("p90_s"),
        "wait_reason": body.get("wait_reason") or "",
    }


def _token(body: Mapping[str, Any]) -> dict[str, Any]:
    """Read the token's id and time of issue; a visitor's program may, as the payload is not secret."""
    text = str(body["token"]).partition(".")[0]
    payload = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    issued = unix(body.get("issued_at"))
    return {"token_id": payload["id"], "issued_at": float(payload["iat"]) if issued is None else issued}


def unix(text: object) -> float | None:
    """Return an ISO 8601 time as Unix seconds; None for what is none."""
    return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else None
