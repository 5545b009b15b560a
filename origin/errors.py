"""Every code that the origin's calls can answer with, besides those of ``shared.problem``."""

from shared.problem import ProblemType
from shared.token import REFUSAL_REASONS, RefusalReason

_REFUSED_TITLES: dict[RefusalReason, str] = {
    "missing": "Come through the waiting room first",
    "malformed": "This admission cannot be read",
    "unknown_key": "This admission was signed with a key we do not know",
    "bad_signature": "This admission was altered",
    "expired": "This admission has expired",
    "not_yet_valid": "This admission is not valid yet",
    "wrong_room": "This admission is for another programme",
    "wrong_scope": "This admission is for something else",
    "revoked": "This admission was revoked",
    "already_used": "This admission was used for a booking",
}
ADMISSION_REFUSED: dict[RefusalReason, ProblemType] = {
    reason: ProblemType(f"admission_{reason}", 403, _REFUSED_TITLES[reason])
    for reason in REFUSAL_REASONS
    if reason != "already_used"
}

RULES_UNAVAILABLE = ProblemType("rules_unavailable", 503, "The rules in force cannot be read at the moment")
RULES_MISSING = ProblemType("rules_missing", 503, "This programme has no rules in force yet")

IDEMPOTENCY_KEY_MISSING = ProblemType("idempotency_key_missing", 400, "Send an Idempotency-Key header")
IDEMPOTENCY_KEY_MALFORMED = ProblemType("idempotency_key_malformed", 400, "The Idempotency-Key is malformed")
KEY_IN_FLIGHT = ProblemType("key_in_flight", 409, "A request with this Idempotency-Key is still being answered")
KEY_REUSED = ProblemType("key_reused", 422, "This Idempotency-Key was used for another request")
FROZEN = ProblemType("frozen", 423, "Booking is stopped for the moment")
PLACE_UNKNOWN = ProblemType("place_unknown", 404, "No town or postal code is called so")
PLACE_AMBIGUOUS = ProblemType("place_ambiguous", 422, "Several places are called so; add the region behind a comma")
CURSOR_UNKNOWN = ProblemType("cursor_unknown", 422, "This is no page of this search; begin with the first one")
SLOT_UNKNOWN = ProblemType("slot_unknown", 404, "There is no such slot")
SLOT_PAST = ProblemType("slot_past", 409, "This slot has already begun")
SLOT_GONE = ProblemType("slot_gone", 409, "Somebody else took the last place of this slot")
DECISION_UNKNOWN = ProblemType("decision_unknown", 404, "There is no such decision of yours")
DECISION_EXPIRED = ProblemType("decision_expired", 403, "This decision has expired; answer the questions again")
OVERRIDE_ENDED = ProblemType("override_ended", 403, "The exception that was made for you has ended")
INELIGIBLE = ProblemType("ineligible", 403, "The rules in force now do not allow this booking")
ADMISSION_EXTENDED_ENOUGH = ProblemType(
    "admission_extended_enough", 409, "This admission cannot be made longer; the waiting room lets you in again"
)
ADMISSION_USED = ProblemType("admission_used", 409, "This admission was used for a booking")
ALREADY_BOOKED = ProblemType("already_booked", 409, "You already have an appointment for this dose")
APPOINTMENT_UNKNOWN = ProblemType("appointment_unknown", 404, "There is no such appointment of yours")
APPOINTMENT_CANCELLED = ProblemType("appointment_cancelled", 409, "This appointment was cancelled")
TOO_LATE = ProblemType("too_late", 409, "It is too late to change or cancel this appointment")
TOO_OFTEN = ProblemType("too_often", 409, "This was changed or cancelled as often as the programme allows")
INTERVAL_NOT_KEPT = ProblemType("interval_not_kept", 409, "The doses would not be as far apart as they have to be")
HOLD_UNKNOWN = ProblemType("hold_unknown", 404, "There is no such hold of yours")

SITE_UNKNOWN = ProblemType("site_unknown", 404, "There is no such site")
NOTHING_TO_CANCEL = ProblemType("nothing_to_cancel", 409, "There is no slot to cancel that has not begun yet")
NOTHING_TO_REOPEN = ProblemType(
    "nothing_to_reopen", 409, "There is no cancelled slot to open again that has not begun yet"
)
CANCELLATION_RUNS = ProblemType(
    "cancellation_runs", 409, "People of these slots still wait for another time, or have one to answer"
)
PEOPLE_CHANGED = ProblemType("people_changed", 409, "The slots hold another number of people than you confirmed")
CANCELLATION_UNKNOWN = ProblemType("cancellation_unknown", 404, "This site has cancelled nothing of that number")
MARK_REFUSED = ProblemType("mark_refused", 409, "An appointment that stands so cannot be marked like this")
MARK_EARLY = ProblemType("mark_early", 409, "It is too early to mark this appointment so")
OFFER_UNKNOWN = ProblemType("offer_unknown", 404, "There is no such offer for you")
OFFER_OVER = ProblemType("offer_over", 409, "This offer was answered, or its time is over")
OFFER_CHANGED = ProblemType("offer_changed", 409, "You are offered another time by now")
NO_OTHER_TIME = ProblemType("no_other_time", 409, "There is no other time nearby; this one is still kept for you")
NO_WAITLIST = ProblemType("no_waitlist", 409, "This programme has no waitlist")
ALREADY_WAITING = ProblemType("already_waiting", 409, "You are on the waitlist already")
ENTRY_UNKNOWN = ProblemType("entry_unknown", 404, "There is no such entry of yours on the waitlist")
NO_WAY_BACK = ProblemType("no_way_back", 409, "This appointment gives no right to book again without the queue")
NEXT_DOSE_MISSING = ProblemType("next_dose_missing", 409, "This dose is booked together with the next one")
COURSE_UNKNOWN = ProblemType("course_unknown", 404, "No dose follows this one")
MEMBER_UNKNOWN = ProblemType("member_unknown", 404, "There is no such person in your household")
HOUSEHOLD_FULL = ProblemType("household_full", 409, "A household has no room for more")
NAMED_ENOUGH = ProblemType("named_enough", 429, "You have added enough people for today")

PROGRAMME_UNKNOWN = ProblemType("programme_unknown", 404, "There is no such programme")
REGION_UNKNOWN = ProblemType("region_unknown", 404, "There is no such region")
VERSION_UNKNOWN = ProblemType("version_unknown", 404, "There is no such version of these rules")
INVALID_RULES = ProblemType("invalid_rules", 422, "This is not a rule document")
CASES_INVALID = ProblemType("cases_invalid", 422, "These are no cases")
CASES_FAILED = ProblemType("cases_failed", 409, "Cases that these rules carry come out otherwise than they say")
SAME_PERSON = ProblemType("same_person", 403, "Rules are reviewed by somebody else than their author")
ALREADY_REVIEWED = ProblemType("already_reviewed", 409, "This version has its review; make a new draft")
NOT_APPROVED = ProblemType("not_approved", 409, "This version was not approved")
RULES_MOVED = ProblemType("rules_moved", 409, "Other rules are in force than you think")
NOTHING_BEFORE = ProblemType("nothing_before", 409, "There are no earlier rules to go back to")
ACTIVATION_PAST = ProblemType("activation_past", 422, "The moment of this activation has passed")

REFERENCE_UNKNOWN = ProblemType("reference_unknown", 404, "There is no decision of this reference")
BY_OVERRIDE = ProblemType("by_override", 422, "This decision is an override; overrule the one that it overrules")
GRANT_UNKNOWN = ProblemType("grant_unknown", 422, "The rules of this decision give this product and dose to nobody")
OVERRIDE_LENGTH = ProblemType("override_length", 422, "An override ends after now, and within 31 days")
OVERRIDE_UNKNOWN = ProblemType("override_unknown", 404, "There is no such override")
OWN_OVERRIDE = ProblemType("own_override", 403, "An override takes two people, and neither of them is whom it is for")
ALREADY_CONFIRMED = ProblemType("already_confirmed", 409, "This override was confirmed before")
OVERRIDE_OVER = ProblemType("override_over", 409, "This override was revoked or has expired")

UPLOAD_UNKNOWN = ProblemType("upload_unknown", 404, "There is no such upload in this programme")
UPLOAD_FILES_MISSING = ProblemType("upload_files_missing", 422, "Send one file at least, and 20 at most")
UPLOAD_FILES_GONE = ProblemType("upload_files_gone", 409, "The files of this upload are not kept any more")
UPLOAD_RUNS = ProblemType("upload_runs", 409, "This upload is being run in another way; wait until it is over")

GATE = tuple(ADMISSION_REFUSED.values())
