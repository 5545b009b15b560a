"""Somebody who comes without an appointment: the same rules, the same places, but no queue and no account."""

from dataclasses import dataclass

import msgspec

from origin import errors
from origin.admin.programmes import Programme
from origin.booking.appointments import Appointment, AppointmentFacts, from_facts
from origin.booking.key import fingerprint
from origin.booking.refusals import FINAL, PASSING, PRODUCT_NOT_GRANTED
from origin.db.sql import load
from origin.eligibility.decisions import Decision, no_rules_refused
from origin.eligibility.person import Facts
from origin.identity import Official
from origin.sites.staff import QUERIES, StaffedSite
from origin.state import OriginState
from shared.problem import Problem

_MOST_RULE_CHANGES = 3
_ISSUER = "urn:vestibule:walk-in"
_encode = msgspec.json.encode
_read_booked = msgspec.json.Decoder(AppointmentFacts).decode


@dataclass(frozen=True)
class Door:
    """Where somebody walks in, and who lets them."""

    state: OriginState
    official: Official
    site: StaffedSite

    async def programme_of(self, slot: int) -> Programme:
        """Return the programme of a slot of the site.

        Raises:
            Problem: 404 ``slot_unknown``, also at other sites.
        """
        async with self.state.database.connection() as connection:
            row = await load(QUERIES)["programme_of_slot"].row(connection, slot=slot, site=self.site.id)
        if row is None:
            raise Problem(errors.SLOT_UNKNOWN)
        await self.state.programmes.refresh(row["room"])
        return self.state.programmes.by_room[row["room"]]

    async def walk_in(self, slot: int, key: str, facts: Facts) -> Appointment:
        """Decide by the rules in force and book, once per ``key`` of this staff member, with an audit row.

        Nothing is known of the person: they get a pseudonym of their own, which nobody can find again.

        Raises:
            Problem: 403 ``ineligible`` (with ``reasons``); 404 ``slot_unknown``; 409 ``slot_past``, ``slot_gone``,
                ``key_in_flight``; 422 ``key_reused``; 423 ``frozen``; 503 ``rules_missing``, ``rules_unavailable``,
                ``store_unavailable``.
        """
        programme = await self.programme_of(slot)
        person = self.state.people.pseudonym(_ISSUER, self.state.ids.secret(32))
        outcome, answer = "rules_changed", ""
        for _ in range(_MOST_RULE_CHANGES):
            with no_rules_refused():
                decision = await self.state.decisions.decide(programme, person, facts)
            if decision.outcome != "eligible":
                raise _ineligible(decision)
            outcome, answer = await self._book(slot, key, facts, person, decision)
            if outcome != "rules_changed":
                break
        if outcome in {"booked", "replayed"}:
            if outcome == "booked":
                self.state.metrics.walked_in.inc()
            return from_facts(_read_booked(answer))
        raise _refusal(outcome)

    async def _book(self, slot: int, key: str, facts: Facts, person: bytes, decision: Decision) -> tuple[str, str]:
        async with self.state.database.connection() as connection:
            row = await load(QUERIES)["walk_in"].row(
                connection,
                site=self.site.id,
                staff=self.official.pseudonym,
                role=self.official.role,
                key=key,
                fingerprint=fingerprint("POST", f"walk-ins/{self.site.id}/{slot}", _encode(facts)),
                person=person,
                slot=slot,
                decision=decision.decision_ref,
                appointment=self.state.ids.uuid(),
                now=self.state.clock.now(),
            )
        assert row is not None
        return row["outcome"], row["answer"] or ""


def _ineligible(decision: Decision) -> Problem:
    refused = Problem(errors.INELIGIBLE)
    refused.members |= {
        "reasons": decision.reasons,
        "missing": decision.missing,
        "rule_version": decision.rule_version,
    }
    return refused


def _refusal(outcome: str) -> Problem:
    by_outcome = {**FINAL, **PASSING, "rules_changed": errors.KEY_IN_FLIGHT}
    refused = Problem(next(kind for name, kind in by_outcome.items() if name == outcome))
    if outcome == "product_not_granted":
        refused.members["reasons"] = [PRODUCT_NOT_GRANTED]
    return refused
