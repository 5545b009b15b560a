"""How commands speak to the origin's admin API in somebody's name."""

import getpass
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec
from pydantic import HttpUrl, SecretStr

from deploy.datadir import DataDir
from deploy.errors import StackError
from deploy.issuer import LocalIssuer
from shared.clock import Clock
from shared.problem import ProblemBody
from shared.settings import Settings

T = TypeVar("T")

ROLES = ("rules_author", "rules_reviewer", "operator", "support", "overrider")
_TOKEN_TTL_S = 300
_TIMEOUT_S = 15


class OfficialSettings(Settings):
    """Which origin, and in whose name."""

    data_dir: Path = Path("build/local")
    origin_public_url: HttpUrl | None = None
    operator_token: SecretStr | None = None


@dataclass(frozen=True)
class Origin:
    """An origin that answers at ``url``, and a bearer token that it takes."""

    url: str
    token: str

    @classmethod
    def find(cls, settings: OfficialSettings, origin: str | None, who: str | None, clock: Clock) -> "Origin":
        """Return the origin that is named, by option or setting, else the one of the stack that runs here.

        A token is minted for that stack alone, in the name of ``who``: elsewhere nobody trusts it.

        Raises:
            StackError: there is no such origin, or no token for it.
        """
        data = DataDir(settings.data_dir)
        local = running["origin_url"].rstrip("/") if (running := data.addresses()) else None
        url = (origin or str(settings.origin_public_url or "") or local or "").rstrip("/")
        if not url:
            raise StackError("no origin: give --origin or VESTIBULE_ORIGIN_PUBLIC_URL, or start the stack")
        if settings.operator_token is not None:
            if who is not None:
                raise StackError("--as is for the stack that runs here; VESTIBULE_OPERATOR_TOKEN says who you are")
            return cls(url, settings.operator_token.get_secret_value())
        if url != local:
            raise StackError(f"no token for {url}: set VESTIBULE_OPERATOR_TOKEN")
        sub = who or _user()
        return cls(url, LocalIssuer(data.issuer).mint(sub=sub, roles=ROLES, now=clock.unix(), ttl_s=_TOKEN_TTL_S))

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


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # nobody of this number is known here
        return "operator"
