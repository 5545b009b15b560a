"""How commands speak to the origin's admin API in somebody's name."""

from dataclasses import dataclass
from typing import TypeVar

import httpx
import msgspec
from pydantic import HttpUrl

from deploy.contact import ContactSettings, contact
from deploy.errors import StackError
from shared.clock import Clock
from shared.problem import ProblemBody

T = TypeVar("T")

ROLES = ("rules_author", "rules_reviewer", "operator", "support", "overrider")
_TIMEOUT_S = 15


class OfficialSettings(ContactSettings):
    """Which origin, and in whose name."""

    origin_public_url: HttpUrl | None = None


@dataclass(frozen=True)
class Origin:
    """An origin that answers at ``url``, and a bearer token that it takes."""

    url: str
    token: str

    @classmethod
    def find(cls, settings: OfficialSettings, origin: str | None, who: str | None, clock: Clock) -> "Origin":
        """Return the origin that is named, else the one of the stack that runs here, there in the name of ``who``.

        Raises:
            StackError: there is no such origin, or no token for it.
        """
        if who is not None and settings.operator_token is not None:
            raise StackError("--as is for the stack that runs here; VESTIBULE_OPERATOR_TOKEN says who you are")
        return cls(*contact(settings, "origin", origin or settings.origin_public_url, clock, roles=ROLES, sub=who))

    def call(self, method: str, path: str, form: type[T], body: msgspec.Struct | None = None) -> T:
        """Return what it answers.

        Raises:
            StackError: it refuses, with its stable code, or it does not answer.
        """
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        content = None if body is None else msgspec.json.encode(body)
        try:
            with httpx.Client(trust_env=False, timeout=_TIMEOUT_S) as client:
                answer = client.request(method, self.url + path, headers=headers, content=content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise StackError(f"no answer from {self.url} ({type(error).__name__})") from None
        try:
            if answer.is_success:
                return msgspec.json.decode(answer.content, type=form)
            told = msgspec.json.decode(answer.content, type=ProblemBody)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise StackError(f"what answers at {self.url} is no origin ({answer.status_code})") from None
        raise StackError(f"{told.code}: {told.detail or told.title}")
