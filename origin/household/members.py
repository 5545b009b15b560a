"""The members of a household: named by whoever books for them, known by a keyed hash of a number on their document."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import msgspec

from origin import errors
from origin.db.pool import Database
from origin.db.sql import load
from origin.identity import People, Person
from origin.sealing import Lost, Vault
from shared.clock import Clock
from shared.ids import Ids
from shared.problem import INVALID_BODY, Problem

MOST_MEMBERS = 8
NAMED_A_DAY = 12
"""Enough for slips of the pen; whoever would try numbers out, or collect people to grab places with, is stopped."""

_DAY_S = 24 * 3600
_SHORTEST, _LONGEST = 4, 32
_NO_LETTERS = {"Cc", "Cs"}  # controls, halves of surrogate pairs
_QUERIES = Path(__file__).with_name("queries.sql")


class MemberForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to add: a name, for the holder's eyes only, and the number on the member's document.

    Of the number only letters and digits count, 4 to 32 of them, in capitals or not.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    document: Annotated[str, msgspec.Meta(min_length=_SHORTEST, max_length=64)]


class Member(msgspec.Struct, frozen=True):
    """Somebody a person books for. ``name``: empty where it cannot be read any more."""

    id: UUID
    name: str
    added_at: datetime


class Members(msgspec.Struct, frozen=True):
    """A household, in the order of adding; ``most``: how many it has room for."""

    members: list[Member]
    most: int = MOST_MEMBERS


@dataclass(frozen=True)
class Households:
    """Keeps households. Names are sealed at rest; numbers are never stored."""

    database: Database
    vault: Vault
    people: People
    clock: Clock
    ids: Ids

    async def all(self, holder: Person) -> list[Member]:
        """Return whom a holder has named; a name under an old key is sealed again under the current one.

        Raises:
            Problem: 503 ``store_unavailable``.
        """
        async with self.database.connection() as connection:
            rows = await load(_QUERIES)["members"].rows(connection, holder=holder.pseudonym)
            found = [Member(row["id"], self._name(row["id"], row["name"]), row["created_at"]) for row in rows]
            for member, row in zip(found, rows, strict=True):
                if member.name and not self.vault.is_current(row["name"]):
                    name = self._sealed(member.id, member.name)
                    values = {"id": member.id, "holder": holder.pseudonym, "name": name}
                    await load(_QUERIES)["seal_again"].run(connection, **values)
        return found

    async def add(self, holder: Person, form: MemberForm) -> tuple[Member, bool]:
        """Add a member; return them, and whether they are new. Whoever is there already stays as they are.

        Raises:
            Problem: 422 ``invalid_body`` for a name or number that cannot be; 409 ``household_full``; 429
                ``named_enough``; 503 ``store_unavailable``.
        """
        name, number = _name(form.name), _number(form.document)
        id_, now = self.ids.uuid(), self.clock.now()
        async with self.database.connection() as connection:
            row = await load(_QUERIES)["name_member"].row(
                connection,
                id=id_,
                holder=holder.pseudonym,
                person=self.people.by_document(number),
                name=self._sealed(id_, name),
                now=now,
                at_most=MOST_MEMBERS,
                a_day=NAMED_A_DAY,
            )
        assert row is not None
        match row["outcome"]:
            case "named":
                return Member(id_, name, now), True
            case "known":
                there = next((each for each in await self.all(holder) if each.id == row["member"]), None)
                return there or Member(row["member"], name, now), False
            case "too_many":
                raise Problem(errors.HOUSEHOLD_FULL)
            case _:
                raise Problem(errors.NAMED_ENOUGH, retry_after_s=_DAY_S)

    async def remove(self, holder: Person, member: UUID) -> None:
        """Forget a member, the name included; appointments that were booked for them stay.

        Raises:
            Problem: 404 ``member_unknown``; 503 ``store_unavailable``.
        """
        async with self.database.connection() as connection:
            if not await load(_QUERIES)["remove_member"].run(connection, id=member, holder=holder.pseudonym):
                raise Problem(errors.MEMBER_UNKNOWN)

    async def persons(self, holder: Person, members: Sequence[UUID]) -> dict[UUID, bytes]:
        """Return the pseudonyms of those of ``members`` that are the holder's."""
        async with self.database.connection() as connection:
            rows = await load(_QUERIES)["persons"].rows(connection, holder=holder.pseudonym, members=members)
        return {row["id"]: row["person"] for row in rows}

    async def as_person(self, holder: Person, member: UUID | None) -> Person:
        """Return whom a call of the holder is about: one of their household, or, where it is None, themselves.

        Raises:
            Problem: 404 ``member_unknown``, also for other people's; 503 ``store_unavailable``.
        """
        if member is None:
            return holder
        pseudonym = (await self.persons(holder, [member])).get(member)
        if pseudonym is None:
            raise Problem(errors.MEMBER_UNKNOWN)
        return Person(pseudonym, frozenset())

    def _sealed(self, id_: UUID, name: str) -> bytes:
        return self.vault.seal(name.encode(), id_.bytes)

    def _name(self, id_: UUID, sealed: bytes) -> str:
        try:
            return self.vault.open(sealed, id_.bytes).decode()
        except Lost:
            return ""


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or any(unicodedata.category(each) in _NO_LETTERS for each in name):
        raise Problem(INVALID_BODY, "this is not a name - at `$.name`")
    return name


def _number(text: str) -> str:
    """Return what counts of a number: letters and digits, in capitals, however they were typed."""
    number = "".join(each for each in unicodedata.normalize("NFKC", text).upper() if each.isalnum())
    if not _SHORTEST <= len(number) <= _LONGEST:
        raise Problem(INVALID_BODY, f"{_SHORTEST} to {_LONGEST} letters and digits - at `$.document`")
    return number
