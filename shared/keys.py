"""Signing keys with identifiers, so that keys can be changed while tokens signed with the old ones live on."""

import base64
import binascii
from pathlib import Path
from typing import Annotated

import msgspec

MIN_KEY_BYTES = 32


class KeyRingError(Exception):
    """A key ring that cannot be used; the message names the fault, never a key."""


class _KeyFile(msgspec.Struct, forbid_unknown_fields=True):
    current: Annotated[str, msgspec.Meta(pattern="^[a-zA-Z0-9_-]{1,32}$")]
    keys: dict[Annotated[str, msgspec.Meta(pattern="^[a-zA-Z0-9_-]{1,32}$")], str]


class KeyRing:
    """Keys by identifier (``kid``): one signs, all verify.

    The file is JSON: ``{"current": "2026a", "keys": {"2026a": "<base64url, 32 bytes or more>"}}``. A ring that was
    loaded can be read again (``reload``); ``edition`` rises when its keys have changed, for those who keep what they
    made of them.
    """

    def __init__(self, current: str, keys: dict[str, bytes]) -> None:
        self.path: Path | None = None
        self.edition = 0
        if current not in keys:
            raise KeyRingError(f"the current key {current!r} is not among the keys")
        short = sorted(kid for kid, key in keys.items() if len(key) < MIN_KEY_BYTES)
        if short:
            raise KeyRingError(f"keys shorter than {MIN_KEY_BYTES} bytes: {', '.join(short)}")
        self.current = current
        self._keys = dict(keys)

    @classmethod
    def load(cls, path: Path) -> "KeyRing":
        """Read a key file.

        Raises:
            KeyRingError: it is missing, malformed, or holds a short key.
        """
        try:
            parsed = msgspec.json.decode(path.read_bytes(), type=_KeyFile)
            keys = {kid: _decode(text) for kid, text in parsed.keys.items()}
        except OSError as error:
            raise KeyRingError(f"cannot read key file {path}: {error.strerror}") from error
        except (msgspec.DecodeError, binascii.Error) as error:
            raise KeyRingError(f"key file {path} is malformed: {error}") from None
        ring = cls(parsed.current, keys)
        ring.path = path
        return ring

    def reload(self) -> bool:
        """Read the file again that this ring was loaded from; return whether anything has changed.

        Raises:
            KeyRingError: the file cannot be used; the ring stays as it was.
        """
        if self.path is None:
            return False
        fresh = KeyRing.load(self.path)
        if vars(fresh) | {"edition": self.edition} == vars(self):
            return False
        vars(self).update(vars(fresh) | {"edition": self.edition})
        self.edition += 1
        return True

    @property
    def kids(self) -> list[str]:
        """The identifiers of all keys, sorted."""
        return sorted(self._keys)

    def get(self, kid: str) -> bytes | None:
        """Return the key called ``kid``, or None where this ring does not hold it."""
        return self._keys.get(kid)

    @property
    def signing_key(self) -> bytes:
        """The key that signs now."""
        return self._keys[self.current]

    def __repr__(self) -> str:
        return f"KeyRing(current={self.current!r}, kids={self.kids})"


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def encode_key_file(current: str, keys: dict[str, bytes]) -> bytes:
    """Return the bytes of a key file that ``KeyRing.load`` reads."""
    texts = {kid: base64.urlsafe_b64encode(key).decode().rstrip("=") for kid, key in keys.items()}
    return msgspec.json.format(msgspec.json.encode(_KeyFile(current, texts)), indent=2) + b"\n"
