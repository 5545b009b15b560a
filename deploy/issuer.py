"""Keys of the one-machine stack, and its own issuer of bearer tokens.

The issuer is trusted where ``local`` issuers are: never in production.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from deploy.datadir import DataDir, write_private
from deploy.errors import StackError
from shared.ids import Ids
from shared.keys import encode_key_file

ISSUER = "urn:vestibule:local"
AUDIENCE = "vestibule"
KEY_RINGS = ("tickets", "admission", "origin", "person")
_KEY_BYTES = 32
_RSA_BITS = 2048


def ensure_key_rings(data: DataDir, ids: Ids) -> None:
    """Make the key rings that are missing; existing ones stay, so that tickets and bookings stay good."""
    for name in KEY_RINGS:
        path = data.key_file(name)
        if not path.exists():
            text = ids.secret(_KEY_BYTES)
            key = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            write_private(path, encode_key_file("local1", {"local1": key}))


@dataclass(frozen=True)
class LocalIssuer:
    """Signs bearer tokens (RS256) with a key that lies in the data directory, readable by its owner only."""

    folder: Path

    @property
    def private_file(self) -> Path:
        """The private key, a JWK."""
        return self.folder / "private.json"

    @property
    def jwks_file(self) -> Path:
        """The public key, a JWK Set."""
        return self.folder / "jwks.json"

    def ensure(self) -> None:
        """Make the key pair where it is missing."""
        if not self.private_file.exists():
            key = RSAKey.generate_key(_RSA_BITS, {"use": "sig", "alg": "RS256"}, private=True, auto_kid=True)
            write_private(self.private_file, json.dumps(key.as_dict(private=True)).encode())
        if not self.jwks_file.exists():
            public = KeySet([self._key]).as_dict(private=False)
            write_private(self.jwks_file, json.dumps(public).encode())

    def trusted(self) -> dict[str, object]:
        """Return this issuer's entry in ``VESTIBULE_TRUSTED_ISSUERS``."""
        return {"issuer": ISSUER, "audience": AUDIENCE, "jwks_file": str(self.jwks_file.resolve()), "local": True}

    def mint(self, *, sub: str, roles: Sequence[str], now: float, ttl_s: int) -> str:
        """Return a bearer token for ``sub`` that lives from ``now`` (Unix seconds) for ``ttl_s`` seconds.

        Raises:
            StackError: there is no key yet.
        """
        key = self._key
        claims: jwt.Claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": sub,
            "roles": list(roles),
            "iat": int(now),
            "exp": int(now) + ttl_s,
        }
        return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key, algorithms=["RS256"])

    @cached_property
    def _key(self) -> RSAKey:  # read once: checking an RSA key takes 40 ms
        try:
            return RSAKey.import_key(json.loads(self.private_file.read_bytes()))
        except FileNotFoundError:
            raise StackError(f"there is no issuer in {self.folder}; start the stack once with `make up`") from None
