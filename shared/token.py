"""The admission token: one number ties both sides, and this is how a single unit of it is carried.

The edge signs, the origin verifies without a network call. The token's ``id`` is derived from the ticket's, so that
whatever is retried, doubled or raced yields the same id, and the origin's once-only constraint holds.
"""

import base64
import hashlib
from collections.abc import Container
from typing import Annotated, Literal

import msgspec

from shared.keys import KeyRing
from shared.signing import Sealer, SignatureRefused

SCOPE_BOOK = "book"

RefusalReason = Literal[
    "missing",
    "malformed",
    "unknown_key",
    "bad_signature",
    "expired",
    "not_yet_valid",
    "wrong_room",
    "wrong_scope",
    "revoked",
    "already_used",
]
REFUSAL_REASONS: tuple[RefusalReason, ...] = (
    "missing",
    "malformed",
    "unknown_key",
    "bad_signature",
    "expired",
    "not_yet_valid",
    "wrong_room",
    "wrong_scope",
    "revoked",
    "already_used",
)


class TokenRefused(Exception):
    """An admission token that does not admit; ``reason`` is one of ``REFUSAL_REASONS``."""

    def __init__(self, reason: RefusalReason) -> None:
        super().__init__(reason)
        self.reason: RefusalReason = reason


class AdmissionToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a token says. ``iat`` and ``exp`` are Unix seconds on the clock of the edge's store."""

    v: Literal[1]
    kid: str
    room: Annotated[str, msgspec.Meta(max_length=64)]
    scope: Annotated[str, msgspec.Meta(max_length=32)]
    id: Annotated[str, msgspec.Meta(min_length=16, max_length=64)]
    iat: int
    exp: int


def token_id(ticket_id: str) -> str:
    """Derive the token's id from the ticket's: the same for ever, and no way back to the ticket."""
    digest = hashlib.sha256(b"vestibule admission id\x00" + ticket_id.encode()).digest()
    return base64.urlsafe_b64encode(digest[:18]).decode()


class AdmissionTokens:
    """Issues and verifies admission tokens. Pure: time comes in as an argument."""

    def __init__(self, ring: KeyRing) -> None:
        self._sealer = Sealer(AdmissionToken, ring, "admission token")

    def issue(self, *, room: str, ticket_id: str, iat: int, ttl_s: int, scope: str = SCOPE_BOOK) -> str:
        """Return a signed token that lives from ``iat`` (Unix seconds) for ``ttl_s`` seconds."""
        token = AdmissionToken(
            v=1, kid=self._sealer.kid, room=room, scope=scope, id=token_id(ticket_id), iat=iat, exp=iat + ttl_s
        )
        return self._sealer.seal(token)

    def verify(
        self, text: str, *, rooms: Container[str], now: float, leeway_s: float, scope: str = SCOPE_BOOK
    ) -> AdmissionToken:
        """Return the token when it admits to one of ``rooms`` for ``scope`` at ``now`` (Unix seconds).

        Args:
            leeway_s: clock skew between the two sides that is forgiven, in seconds.

        Raises:
            TokenRefused: with the reason; the first that applies, in the order of ``REFUSAL_REASONS``.
        """
        token = self._open(text)
        if now > token.exp + leeway_s:
            raise TokenRefused("expired")
        if now < token.iat - leeway_s:
            raise TokenRefused("not_yet_valid")
        if token.room not in rooms:
            raise TokenRefused("wrong_room")
        if token.scope != scope:
            raise TokenRefused("wrong_scope")
        return token

    def _open(self, text: str) -> AdmissionToken:
        if not text:
            raise TokenRefused("missing")
        try:
            return self._sealer.open(text)
        except SignatureRefused as refused:
            raise TokenRefused(refused.reason) from None
