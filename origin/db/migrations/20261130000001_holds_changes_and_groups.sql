-- migrate:up

-- Policies of a programme -----------------------------------------------------------------------------------------------

ALTER TABLE programme
    ADD COLUMN hold_lasts    interval NOT NULL DEFAULT '2 minutes' CHECK (hold_lasts > '0' AND hold_lasts <= '1 hour'),
    ADD COLUMN change_until  interval NOT NULL DEFAULT '0' CHECK (change_until >= '0'),  -- before the start
    ADD COLUMN moves_at_most   smallint CHECK (moves_at_most >= 0),    -- of an appointment by its person; null, any number
    ADD COLUMN cancels_at_most smallint CHECK (cancels_at_most >= 0);  -- by a person in the programme; null, any number

-- What follows what: the dose after `dose` of a product, counted in days on the site's clock from one to the other.
CREATE TABLE course (
    programme text NOT NULL REFERENCES programme,
    product   text NOT NULL,                                   -- CVX code, of both doses
    dose      smallint NOT NULL CHECK (dose > 0),
    days_min  integer NOT NULL CHECK (days_min > 0),
    days_max  integer NOT NULL CHECK (days_max >= days_min),
    first_alone boolean NOT NULL DEFAULT true,                 -- whether the dose may be booked without the one behind it
    PRIMARY KEY (programme, product, dose)
);
CREATE INDEX course_together ON course (programme) WHERE NOT first_alone;

-- Holds -----------------------------------------------------------------------------------------------------------------

-- A place that is kept for one person until a moment. While the row is there the place is taken from `slot.remaining`,
-- so that  remaining = capacity - appointments that are not cancelled - holds,  lapsed ones included until they are swept
-- or their place is taken over. Who waits for a hold has locked its slot before, and slots are locked in their order; a lapsed
-- one may be taken over without, by whoever need not wait for it.
CREATE TABLE hold (
    id          uuid PRIMARY KEY,
    programme   text NOT NULL REFERENCES programme,
    person      bytea NOT NULL CHECK (octet_length(person) = 32),
    slot        bigint NOT NULL REFERENCES slot,
    kind        text NOT NULL CHECK (kind IN ('opened', 'offered')),  -- by the person, or by us
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    CONSTRAINT hold_once UNIQUE (person, slot)
);
CREATE UNIQUE INDEX hold_one_opened ON hold (programme, person) WHERE kind = 'opened';
CREATE INDEX hold_of_slot ON hold (slot, expires_at);
CREATE INDEX hold_lapse ON hold (expires_at);

-- Appointments that belong together ---------------------------------------------------------------------------------------

-- A booking has one part or several: a family's, or both doses of a course. `part` counts them; the admission is consumed
-- by the first, in the same commit. `booked_by` is who booked for somebody else, may change it, and is written to about it.
ALTER TABLE appointment
    ADD COLUMN part         smallint NOT NULL DEFAULT 1 CHECK (part > 0),
    ADD COLUMN follows      uuid REFERENCES appointment,   -- the dose before, of the same booking
    ADD COLUMN booked_by    bytea CHECK (octet_length(booked_by) = 32),
    ADD COLUMN moves        smallint NOT NULL DEFAULT 0,   -- how often its person has moved it
    ADD COLUMN cancelled_by text CHECK (cancelled_by IN ('visitor', 'site')),
    DROP CONSTRAINT appointment_one_per_admission,
    ADD CONSTRAINT appointment_one_per_admission UNIQUE (admission, part);
UPDATE appointment SET cancelled_by = 'visitor' WHERE status = 'cancelled';
ALTER TABLE appointment
    ADD CONSTRAINT appointment_cancelled_by CHECK ((status = 'cancelled') = (cancelled_by IS NOT NULL));
CREATE INDEX appointment_booked_by ON appointment (booked_by, created_at) WHERE booked_by IS NOT NULL;
CREATE INDEX appointment_follows ON appointment (follows) WHERE follows IS NOT NULL;

-- Places --------------------------------------------------------------------------------------------------------------------

-- Takes a place for a person: the one held for them, else a free one, else one whose hold has lapsed and was not swept yet.
-- Locks the slot and a hold of theirs, or the slot, or a lapsed hold; never waits for a hold that somebody else is taking over.
CREATE FUNCTION take_place(p_slot bigint, p_person bytea, p_now timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM hold WHERE person = p_person AND slot = p_slot) THEN
        PERFORM FROM slot WHERE id = p_slot FOR NO KEY UPDATE;
        DELETE FROM hold WHERE person = p_person AND slot = p_slot;
        IF FOUND THEN
            RETURN true;
        END IF;
    END IF;
    UPDATE slot SET remaining = remaining - 1 WHERE id = p_slot AND remaining > 0;
    IF FOUND THEN
        RETURN true;
    END IF;
    DELETE FROM hold
     WHERE id = (SELECT id FROM hold WHERE slot = p_slot AND expires_at <= p_now LIMIT 1 FOR UPDATE SKIP LOCKED);
    RETURN FOUND;
END
$$;

-- Takes a place for a person for a while. One is held at a time: another slot's goes back. The same slot's stays as it is,
-- for no longer than before, as long as it has not lapsed.
-- p_decision or p_appointment says what for: a booking, or moving an appointment, which knows its programme.
-- A person's holds come one after the other.
-- outcome: held (hold, until) | slot_unknown | slot_past | slot_gone (answer: products, JSON) | frozen | decision_unknown |
--          decision_expired | not_eligible | product_not_granted | unknown (an appointment) | already_cancelled | too_late |
--          too_often
CREATE FUNCTION hold_place(
    p_hold uuid, p_programme text, p_person bytea, p_slot bigint, p_decision uuid, p_appointment uuid, p_now timestamptz,
    OUT outcome text, OUT hold uuid, OUT until timestamptz, OUT answer text
) LANGUAGE plpgsql AS $$
DECLARE
    asked record;
    locked bigint[];
    freed bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('hold'), hashtext(encode(p_person, 'hex')));
    p_programme := coalesce(p_programme, (SELECT a.programme FROM appointment a WHERE a.id = p_appointment));
    PERFORM pg_advisory_xact_lock_shared(hashtext('programme'), hashtext(p_programme));
    SELECT p.frozen_since IS NOT NULL OR EXISTS (
               SELECT FROM region_freeze f WHERE f.programme = p_programme AND f.region IN (site.region, d.region)
           ) AS frozen,
           p.hold_lasts, s.id AS slot, s.starts_at, s.product,
           d.ref, d.outcome, d.expires_at, a.id AS appointment, a.status,
           moved.starts_at - p.change_until <= p_now AS too_late, a.moves >= p.moves_at_most AS too_often,
           CASE WHEN p_appointment IS NULL THEN d.products ELSE ARRAY[moved.product] END AS granted
      INTO asked
      FROM programme p
      LEFT JOIN appointment a ON a.id = p_appointment AND p_person IN (a.person, a.booked_by) AND a.programme = p.id
      LEFT JOIN slot moved ON moved.id = a.slot
      LEFT JOIN decision d ON d.ref = coalesce(a.decision, p_decision) AND d.programme = p.id
                          AND (d.person = p_person OR a.id IS NOT NULL)
      LEFT JOIN slot s ON s.id = p_slot AND s.programme = p.id
      LEFT JOIN site ON site.id = s.site
     WHERE p.id = p_programme;
    outcome := CASE
        WHEN p_appointment IS NOT NULL AND asked.appointment IS NULL THEN 'unknown'
        WHEN asked.status = 'cancelled' THEN 'already_cancelled'
        WHEN asked.frozen THEN 'frozen'
        WHEN asked.status <> 'confirmed' OR asked.too_late THEN 'too_late'
        WHEN asked.too_often THEN 'too_often'
        WHEN asked.slot IS NULL THEN 'slot_unknown'
        WHEN asked.starts_at <= p_now THEN 'slot_past'
        WHEN asked.ref IS NULL THEN 'decision_unknown'
        WHEN p_appointment IS NULL AND asked.expires_at <= p_now THEN 'decision_expired'
        WHEN asked.outcome <> 'eligible' THEN 'not_eligible'
        WHEN asked.product <> ALL (asked.granted) THEN 'product_not_granted'
    END;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;

    locked := p_slot || ARRAY(SELECT h.slot FROM hold h
                               WHERE h.programme = p_programme AND h.person = p_person AND h.kind = 'opened');
    PERFORM FROM slot s WHERE s.id = ANY (locked) ORDER BY s.id FOR NO KEY UPDATE;
    SELECT 'held', h.id, h.expires_at INTO outcome, hold, until FROM hold h
     WHERE h.person = p_person AND h.slot = p_slot AND h.expires_at > p_now;
    IF FOUND THEN
        RETURN;
    END IF;
    FOR freed IN
        DELETE FROM hold h
         WHERE h.programme = p_programme AND h.person = p_person AND (h.kind = 'opened' OR h.slot = p_slot)
           AND h.slot = ANY (locked)
        RETURNING h.slot
    LOOP
        UPDATE slot SET remaining = remaining + 1 WHERE id = freed;
    END LOOP;
    IF NOT take_place(p_slot, p_person, p_now) THEN
        outcome := 'slot_gone';
        answer := to_json(asked.granted)::text;
        RETURN;
    END IF;
    outcome := 'held';
    hold := p_hold;
    until := p_now + asked.hold_lasts;
    INSERT INTO hold (id, programme, person, slot, kind, created_at, expires_at)
    VALUES (p_hold, p_programme, p_person, p_slot, 'opened', p_now, until);
END
$$;

-- Gives a held place back; false where the person holds no such, or is just booking it.
CREATE FUNCTION release_hold(p_person bytea, p_hold uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    held bigint;
BEGIN
    SELECT slot INTO held FROM hold WHERE id = p_hold AND person = p_person;
    PERFORM FROM slot WHERE id = held FOR NO KEY UPDATE;
    DELETE FROM hold WHERE id = (SELECT id FROM hold WHERE id = p_hold AND person = p_person FOR UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE slot SET remaining = remaining + 1 WHERE id = held;
    RETURN true;
END
$$;

-- Gives the places of lapsed holds back, of at most so many slots; returns how many places. Slots are locked in their order;
-- what somebody else has locked is left for the next time.
CREATE FUNCTION sweep_holds(p_now timestamptz, p_at_most integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    at bigint;
    freed integer;
    swept integer := 0;
BEGIN
    FOR at IN
        SELECT DISTINCT h.slot FROM hold h WHERE h.expires_at <= p_now ORDER BY h.slot LIMIT p_at_most
    LOOP
        PERFORM FROM slot WHERE id = at FOR NO KEY UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        DELETE FROM hold
         WHERE id IN (SELECT id FROM hold WHERE slot = at AND expires_at <= p_now FOR UPDATE SKIP LOCKED);
        GET DIAGNOSTICS freed = ROW_COUNT;
        UPDATE slot SET remaining = remaining + freed WHERE id = at AND freed > 0;
        swept := swept + freed;
    END LOOP;
    RETURN swept;
END
$$;

-- Booking ---------------------------------------------------------------------------------------------------------------

-- What is known under a key: null (nothing: go on) | key_in_flight | replayed (answer) | key_reused. Locks the key for the
-- transaction.
CREATE FUNCTION known_answer(p_person bytea, p_key text, p_fingerprint bytea, OUT outcome text, OUT answer text)
LANGUAGE plpgsql AS $$
DECLARE
    known record;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended(p_key || encode(p_person, 'hex'), 0)) THEN
        outcome := 'key_in_flight';
        RETURN;
    END IF;
    SELECT i.fingerprint, i.body INTO known FROM idempotency i WHERE i.person = p_person AND i.key = p_key;
    IF FOUND THEN
        outcome := CASE WHEN known.fingerprint = p_fingerprint THEN 'replayed' ELSE 'key_reused' END;
        answer := CASE WHEN known.fingerprint = p_fingerprint THEN known.body END;
    END IF;
END
$$;

-- Why a booking is refused before a place is asked for; null, nothing is in its way. The order is that of `book`: what the
-- visitor can do least about comes first. An expression of its own, so that one and many are judged alike.
CREATE FUNCTION booking_refusal(
    p_frozen boolean, p_slot bigint, p_starts_at timestamptz, p_ref uuid, p_override uuid, p_expires_at timestamptz,
    p_rule_version integer, p_in_force integer, p_outcome text, p_product text, p_granted text[], p_used_by uuid,
    p_now timestamptz
) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_frozen THEN 'frozen'
        WHEN p_slot IS NULL THEN 'slot_unknown'
        WHEN p_starts_at <= p_now THEN 'slot_past'
        WHEN p_ref IS NULL THEN 'decision_unknown'
        WHEN p_override IS NOT NULL AND p_expires_at <= p_now THEN 'override_ended'
        WHEN p_expires_at <= p_now THEN 'decision_expired'
        WHEN p_override IS NULL AND p_rule_version IS DISTINCT FROM p_in_force THEN 'rules_changed'
        WHEN p_outcome <> 'eligible' THEN 'not_eligible'
        WHEN p_product <> ALL (p_granted) THEN 'product_not_granted'
        WHEN p_used_by IS NOT NULL THEN 'admission_used'
    END
$$;

-- Books one part of a booking, without its key: the checks, the place, the appointment, its audit and outbox rows.
-- p_follows: the appointment that this dose follows, booked in the same transaction under the same decision; its dose is the
-- next, its product the same, its day inside the interval of the course.
-- The rules in force are those for the region of the decision (see `version_in_force`, written out here to save two calls),
-- and a frozen region books nothing, neither at its sites nor for its people. A decision by the last known rules counts as
-- one by the rules in force it stands for, as long as the programme wants that. A decision by override holds under all
-- rules, until it expires or is revoked: `override_ended`. Who revokes waits for the bookings that rest on it.
CREATE FUNCTION book_part(
    p_person bytea, p_programme text, p_slot bigint, p_decision uuid, p_admission text, p_part smallint, p_follows uuid,
    p_booked_by bytea, p_appointment uuid, p_now timestamptz, OUT outcome text, OUT answer text
) LANGUAGE plpgsql AS $$
DECLARE
    asked record;
    moment timestamptz;
BEGIN
    -- Shared with every booking of the programme, exclusive for whoever freezes it or changes its rules: once they
    -- have returned, no booking under the old state can still commit.
    PERFORM pg_advisory_xact_lock_shared(hashtext('programme'), hashtext(p_programme));
    moment := clock_timestamp();  -- behind the lock: not before the last move of the rules

    SELECT p.frozen_since IS NOT NULL OR EXISTS (
               SELECT FROM region_freeze f WHERE f.programme = p_programme AND f.region IN (site.region, d.region)
           ) AS frozen,
           coalesce(
               (SELECT m.version FROM rule_move m
                 WHERE m.programme = p_programme AND m.pointer = 'active' AND m.scope = d.region
                   AND (NOT m.scheduled OR m.since <= moment)
                 ORDER BY m.id DESC LIMIT 1),
               (SELECT m.version FROM rule_move m
                 WHERE m.programme = p_programme AND m.pointer = 'active' AND m.scope = ''
                   AND (NOT m.scheduled OR m.since <= moment)
                 ORDER BY m.id DESC LIMIT 1)
           ) AS version,
           CASE WHEN p.last_known_rules THEN coalesce(d.stands_for, d.rule_version) ELSE d.rule_version END
               AS rule_version,
           d.ref, d.outcome, d.expires_at, d.override,
           CASE WHEN before.id IS NULL THEN d.products ELSE ARRAY[first.product] END AS granted,
           CASE WHEN before.id IS NULL THEN d.dose ELSE before.dose + 1 END::smallint AS dose,
           before.dose AS dose_before, before.slot AS slot_before,
           s.id AS slot, s.starts_at, s.ends_at, s.product, s.site, site.name, site.address, site.town, site.lat,
           site.lng, site.time_zone, site.step_free,
           (SELECT a.id FROM appointment a WHERE a.admission = p_admission AND a.part = p_part) AS used_by
      INTO asked
      FROM programme p
      LEFT JOIN decision d ON d.ref = p_decision AND d.person = p_person AND d.programme = p.id
      LEFT JOIN slot s ON s.id = p_slot AND s.programme = p.id
      LEFT JOIN site ON site.id = s.site
      LEFT JOIN appointment before ON before.id = p_follows AND before.person = p_person
      LEFT JOIN slot first ON first.id = before.slot
     WHERE p.id = p_programme;
    outcome := booking_refusal(
        asked.frozen, asked.slot, asked.starts_at, asked.ref, asked.override, asked.expires_at, asked.rule_version,
        asked.version, asked.outcome, asked.product, asked.granted, asked.used_by, p_now);
    IF outcome IS NULL THEN
        SELECT 'already_booked', to_json(a.id)::text INTO outcome, answer FROM appointment a
         WHERE a.programme = p_programme AND a.person = p_person AND a.dose = asked.dose
           AND a.status IN ('held', 'confirmed', 'checked_in');
    ELSIF outcome = 'admission_used' THEN
        answer := to_json(asked.used_by)::text;
    END IF;
    IF outcome IS NULL AND p_follows IS NOT NULL
       AND NOT interval_kept(p_programme, asked.dose_before, asked.slot_before, p_slot) THEN
        outcome := 'interval_not_kept';
    END IF;
    IF outcome IS NULL AND asked.override IS NOT NULL THEN
        PERFORM FROM override o WHERE o.id = asked.override FOR SHARE;
        IF EXISTS (SELECT FROM override_revocation r WHERE r.override = asked.override) THEN
            outcome := 'override_ended';
        END IF;
    END IF;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    IF NOT take_place(p_slot, p_person, p_now) THEN
        outcome := 'slot_gone';
        answer := to_json(asked.granted)::text;
        RETURN;
    END IF;

    WITH booked AS (
        INSERT INTO appointment (id, programme, person, dose, slot, status, decision, admission, part, follows, booked_by,
                                 created_at, changed_at)
        VALUES (p_appointment, p_programme, p_person, asked.dose, p_slot, 'confirmed', p_decision, p_admission, p_part,
                p_follows, p_booked_by, p_now, p_now)
    ), audited AS (
        INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
        VALUES (p_now, 'booked', p_programme, 'visitor', p_person, p_appointment,
                json_build_object('slot', p_slot, 'decision', p_decision, 'rule_version', asked.version,
                                  'override', asked.override, 'follows', p_follows, 'for_another', p_booked_by IS NOT NULL))
    )
    INSERT INTO outbox (kind, appointment, appointment_version, created_at) VALUES ('booked', p_appointment, 1, p_now);
    outcome := 'booked';
    answer := json_build_object(
        'id', p_appointment, 'status', 'confirmed', 'product', asked.product, 'dose', asked.dose,
        'created_at', p_now, 'slot', asked.slot, 'starts_at', asked.starts_at, 'ends_at', asked.ends_at,
        'site', asked.site, 'name', asked.name, 'address', asked.address, 'town', asked.town,
        'lat', asked.lat, 'lng', asked.lng, 'time_zone', asked.time_zone, 'step_free', asked.step_free
    )::text;
END
$$;

-- Whether the slot of a next dose lies inside the interval of the course behind that of the dose before, counted in days on
-- each site's clock. A product without a course has no next dose.
CREATE FUNCTION interval_kept(p_programme text, p_dose smallint, p_slot bigint, p_next bigint)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM slot first
          JOIN site there ON there.id = first.site
          JOIN course c ON c.programme = p_programme AND c.product = first.product AND c.dose = p_dose
          JOIN slot next ON next.id = p_next
          JOIN site here ON here.id = next.site
         WHERE first.id = p_slot
           AND (next.starts_at AT TIME ZONE here.time_zone)::date - (first.starts_at AT TIME ZONE there.time_zone)::date
               BETWEEN c.days_min AND c.days_max)
$$;

-- Whether what a decision grants of a slot's product must be booked together with the dose behind it.
CREATE FUNCTION needs_next(p_programme text, p_person bytea, p_slot bigint, p_decision uuid)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM course c
          JOIN decision d ON d.ref = p_decision AND d.person = p_person AND d.dose = c.dose
          JOIN slot s ON s.id = p_slot AND s.product = c.product
         WHERE c.programme = p_programme AND NOT c.first_alone)
$$;

-- Books a slot, once per key. Everything happens in one transaction, or nothing does.
-- outcome: booked | replayed (answer: what is kept under the key) | key_in_flight | key_reused | next_dose_missing (the dose is
--          booked with the next one only) | and as `book_part` says
-- answer (JSON): what the answer is made from: of a booking the appointment; of `slot_gone` the products granted; of
-- `already_booked` and `admission_used` the appointment that is in the way.
CREATE OR REPLACE FUNCTION book(
    p_person bytea, p_key text, p_fingerprint bytea, p_programme text, p_slot bigint, p_decision uuid,
    p_admission text, p_appointment uuid, p_now timestamptz, OUT outcome text, OUT answer text
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT k.outcome, k.answer INTO outcome, answer FROM known_answer(p_person, p_key, p_fingerprint) k;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM course c WHERE c.programme = p_programme AND NOT c.first_alone)  -- most have none: saves a call
       AND needs_next(p_programme, p_person, p_slot, p_decision) THEN
        outcome := 'next_dose_missing';
        RETURN;
    END IF;
    SELECT b.outcome, b.answer INTO outcome, answer
      FROM book_part(p_person, p_programme, p_slot, p_decision, p_admission, 1::smallint, NULL, NULL, p_appointment,
                     p_now) b;
    IF outcome = 'booked' THEN
        INSERT INTO idempotency (person, key, fingerprint, status, body, created_at)
        VALUES (p_person, p_key, p_fingerprint, 201, answer, p_now);
    END IF;
END
$$;

-- Books several parts with one admission, once per key: all of them or none.
-- `p_follows[i]` is the place in these arrays (from 1) of the part whose dose part i follows, and comes before it; null,
-- a dose of its own. `p_persons[i]` differs from `p_booker` where somebody books for another.
-- A person that is null is somebody whom the booker no longer has in their household: member_unknown. A place that the booker
-- holds counts for whoever of the booking gets it.
-- outcome as of `book`; of a refusal, `part` says which part; answer of a booking: a JSON array, one appointment a part.
-- The programme is locked first, then persons, then slots, each in their order: two bookers who name the same people do not
-- wait for each other, and nobody waits for a freeze that waits for them.
CREATE FUNCTION book_group(
    p_booker bytea, p_key text, p_fingerprint bytea, p_programme text, p_admission text, p_persons bytea[],
    p_slots bigint[], p_decisions uuid[], p_follows smallint[], p_appointments uuid[], p_now timestamptz,
    OUT outcome text, OUT answer text, OUT part smallint
) LANGUAGE plpgsql AS $$
DECLARE
    answers json[] := '{}';
BEGIN
    SELECT k.outcome, k.answer INTO outcome, answer FROM known_answer(p_booker, p_key, p_fingerprint) k;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    part := array_position(p_persons, NULL);
    IF part IS NOT NULL THEN
        outcome := 'member_unknown';
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(hashtext('programme'), hashtext(p_programme));
    PERFORM pg_advisory_xact_lock(hashtextextended('booked for ' || encode(each.person, 'hex'), 0))
       FROM (SELECT DISTINCT person FROM unnest(p_persons) person ORDER BY person) each;
    PERFORM FROM slot s WHERE s.id = ANY (p_slots) ORDER BY s.id FOR NO KEY UPDATE;
    BEGIN
        WITH given AS (
            DELETE FROM hold h
             WHERE h.person = p_booker AND h.slot = ANY (p_slots)
               AND NOT EXISTS (SELECT FROM unnest(p_persons, p_slots) AS wanted (person, slot)
                                WHERE wanted.person = h.person AND wanted.slot = h.slot)
            RETURNING h.slot
        )
        UPDATE slot SET remaining = remaining + 1 FROM given WHERE slot.id = given.slot;
        FOR i IN 1 .. cardinality(p_slots) LOOP
            part := i;
            IF p_follows[i] IS NULL AND array_position(p_follows, part) IS NULL
               AND needs_next(p_programme, p_persons[i], p_slots[i], p_decisions[i]) THEN
                outcome := 'next_dose_missing';
            ELSE
                SELECT b.outcome, b.answer INTO outcome, answer
                  FROM book_part(p_persons[i], p_programme, p_slots[i], p_decisions[i], p_admission, part,
                                 p_appointments[p_follows[i]], nullif(p_booker, p_persons[i]), p_appointments[i],
                                 p_now) b;
            END IF;
            IF outcome <> 'booked' THEN
                RAISE EXCEPTION USING ERRCODE = 'VB001';  -- undoes the parts before; caught below
            END IF;
            answers := answers || answer::json;
        END LOOP;
    EXCEPTION WHEN SQLSTATE 'VB001' THEN
        RETURN;
    END;
    part := NULL;
    answer := array_to_json(answers)::text;
    INSERT INTO idempotency (person, key, fingerprint, status, body, created_at)
    VALUES (p_booker, p_key, p_fingerprint, 201, answer, p_now);
END
$$;

-- Changes ---------------------------------------------------------------------------------------------------------------

-- Locks an appointment with the doses before and after it, in their order. To be done before they are read: a row that is
-- read while it is being locked may come together with the slot that it had before.
CREATE FUNCTION lock_course(p_appointment uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM appointment
      WHERE id = p_appointment OR follows = p_appointment
         OR id = (SELECT a.follows FROM appointment a WHERE a.id = p_appointment)
      ORDER BY id FOR UPDATE;
END
$$;

-- Moves an appointment to another slot of the same product, once per key; the old place is kept until the new one is
-- certain. Both slots are locked in their order, so that two people who swap do not wait for each other. What was decided
-- stays decided: a move asks for no new decision. Doses of a course keep their interval.
-- outcome: moved | replayed | key_in_flight | key_reused (answer: JSON, the appointment) | frozen | unknown |
--          already_cancelled | too_late | too_often | slot_unknown | slot_past | product_not_granted | interval_not_kept |
--          slot_gone (answer: the product, in a JSON array)
CREATE FUNCTION reschedule(
    p_person bytea, p_key text, p_fingerprint bytea, p_appointment uuid, p_slot bigint, p_now timestamptz,
    OUT outcome text, OUT answer text
) LANGUAGE plpgsql AS $$
DECLARE
    ours record;
    wanted record;
BEGIN
    SELECT k.outcome, k.answer INTO outcome, answer FROM known_answer(p_person, p_key, p_fingerprint) k;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(hashtext('programme'), hashtext(a.programme))
       FROM appointment a WHERE a.id = p_appointment;
    PERFORM lock_course(p_appointment);
    SELECT a.status, a.slot, a.programme, a.version, a.moves, a.follows, a.person, a.dose, a.created_at, s.starts_at,
           s.product, p.change_until, p.moves_at_most, p.frozen_since, site.region, d.region AS of_person
      INTO ours
      FROM appointment a
      JOIN slot s ON s.id = a.slot
      JOIN site ON site.id = s.site
      JOIN decision d ON d.ref = a.decision
      JOIN programme p ON p.id = a.programme
     WHERE a.id = p_appointment AND p_person IN (a.person, a.booked_by);
    SELECT s.id, s.starts_at, s.ends_at, s.product, s.site, site.name, site.address, site.town, site.lat, site.lng,
           site.time_zone, site.step_free, site.region
      INTO wanted
      FROM slot s JOIN site ON site.id = s.site
     WHERE s.id = p_slot AND s.programme = ours.programme;
    outcome := CASE
        WHEN ours.programme IS NULL THEN 'unknown'
        WHEN ours.status = 'cancelled' THEN 'already_cancelled'
        WHEN ours.frozen_since IS NOT NULL OR EXISTS (
            SELECT FROM region_freeze f
             WHERE f.programme = ours.programme AND f.region IN (ours.region, wanted.region, ours.of_person)) THEN 'frozen'
        WHEN ours.status <> 'confirmed' OR ours.starts_at - ours.change_until <= p_now THEN 'too_late'
        WHEN ours.moves >= ours.moves_at_most THEN 'too_often'
        WHEN wanted.id IS NULL THEN 'slot_unknown'
        WHEN wanted.starts_at <= p_now THEN 'slot_past'
        WHEN wanted.product <> ours.product THEN 'product_not_granted'
    END;
    IF outcome IS NULL AND ours.slot <> p_slot THEN
        SELECT 'interval_not_kept' INTO outcome FROM appointment a
         WHERE a.id = ours.follows AND NOT interval_kept(a.programme, a.dose, a.slot, p_slot)
            OR a.follows = p_appointment AND a.status <> 'cancelled'
               AND NOT interval_kept(a.programme, ours.dose, p_slot, a.slot);
    END IF;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    IF ours.slot <> p_slot THEN
        PERFORM FROM slot s WHERE s.id IN (ours.slot, p_slot) ORDER BY s.id FOR NO KEY UPDATE;
        IF NOT take_place(p_slot, p_person, p_now) THEN
            outcome := 'slot_gone';
            answer := to_json(ARRAY[ours.product])::text;
            RETURN;
        END IF;
        UPDATE slot SET remaining = remaining + 1 WHERE id = ours.slot;
        UPDATE appointment
           SET slot = p_slot, version = version + 1, moves = moves + 1, changed_at = p_now
         WHERE id = p_appointment;
        INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
        VALUES (p_now, 'moved', ours.programme, 'visitor', ours.person, p_appointment,
                json_build_object('from', ours.slot, 'to', p_slot));
        INSERT INTO outbox (kind, appointment, appointment_version, created_at)
        VALUES ('moved', p_appointment, ours.version + 1, p_now);
        ours.version := ours.version + 1;
    END IF;
    answer := json_build_object(
        'id', p_appointment, 'status', 'confirmed', 'product', wanted.product, 'dose', ours.dose,
        'created_at', ours.created_at, 'slot', wanted.id, 'starts_at', wanted.starts_at, 'ends_at', wanted.ends_at,
        'site', wanted.site, 'name', wanted.name, 'address', wanted.address, 'town', wanted.town,
        'lat', wanted.lat, 'lng', wanted.lng, 'time_zone', wanted.time_zone, 'step_free', wanted.step_free,
        'version', ours.version
    )::text;
    INSERT INTO idempotency (person, key, fingerprint, status, body, created_at)
    VALUES (p_person, p_key, p_fingerprint, 200, answer, p_now);
    outcome := 'moved';
END
$$;

-- Cancels an appointment and the dose that follows it, and gives the places back, in one transaction.
-- outcome: cancelled | already_cancelled | unknown (also for other people's) | too_late (begun, or too close to its start) |
--          too_often
CREATE OR REPLACE FUNCTION cancel(p_person bytea, p_appointment uuid, p_now timestamptz, OUT outcome text)
LANGUAGE plpgsql AS $$
DECLARE
    ours record;
BEGIN
    PERFORM lock_course(p_appointment);
    SELECT a.status, a.slot, a.programme, a.person, s.starts_at, p.change_until, p.cancels_at_most INTO ours
      FROM appointment a JOIN slot s ON s.id = a.slot JOIN programme p ON p.id = a.programme
     WHERE a.id = p_appointment AND p_person IN (a.person, a.booked_by);
    outcome := CASE
        WHEN NOT FOUND THEN 'unknown'
        WHEN ours.status = 'cancelled' THEN 'already_cancelled'
        WHEN ours.status NOT IN ('held', 'confirmed') OR ours.starts_at - ours.change_until <= p_now THEN 'too_late'
        WHEN ours.cancels_at_most <= (
            SELECT count(*) FROM appointment a
             WHERE a.programme = ours.programme AND a.person = ours.person AND a.cancelled_by = 'visitor'
               AND a.follows IS NULL) THEN 'too_often'
        ELSE 'cancelled'
    END;
    IF outcome = 'cancelled' THEN
        PERFORM cancel_appointment(each.id, 'visitor', p_now)
           FROM (SELECT a.id FROM appointment a
                  WHERE a.id = p_appointment OR a.follows = p_appointment AND a.status IN ('held', 'confirmed')
                  ORDER BY a.slot, a.id) each;
    END IF;
END
$$;

-- Cancels one appointment that is not cancelled yet, whoever wants it; false where it already is. The caller has locked it,
-- or locks in the order of slots.
CREATE FUNCTION cancel_appointment(p_appointment uuid, p_by text, p_now timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    gone record;
BEGIN
    UPDATE appointment
       SET status = 'cancelled', cancelled_by = p_by, version = version + 1, changed_at = p_now
     WHERE id = p_appointment AND status <> 'cancelled'
    RETURNING slot, programme, person, version INTO gone;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE slot SET remaining = remaining + 1 WHERE id = gone.slot;
    INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
    VALUES (p_now, 'cancelled', gone.programme, p_by, gone.person, p_appointment, json_build_object('slot', gone.slot));
    INSERT INTO outbox (kind, appointment, appointment_version, created_at)
    VALUES ('cancelled', p_appointment, gone.version, p_now);
    RETURN true;
END
$$;

-- migrate:down
DROP FUNCTION book_group, reschedule, lock_course, cancel_appointment, book_part, booking_refusal, interval_kept, needs_next,
    known_answer, hold_place, release_hold, sweep_holds, take_place;
CREATE OR REPLACE FUNCTION book(
    p_person bytea, p_key text, p_fingerprint bytea, p_programme text, p_slot bigint, p_decision uuid,
    p_admission text, p_appointment uuid, p_now timestamptz, OUT outcome text, OUT answer text
) LANGUAGE plpgsql AS $$
DECLARE
    known record;
    asked record;
    moment timestamptz;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended(p_key || encode(p_person, 'hex'), 0)) THEN
        outcome := 'key_in_flight';
        RETURN;
    END IF;
    SELECT i.fingerprint, i.body INTO known FROM idempotency i WHERE i.person = p_person AND i.key = p_key;
    IF FOUND THEN
        outcome := CASE WHEN known.fingerprint = p_fingerprint THEN 'replayed' ELSE 'key_reused' END;
        answer := CASE WHEN known.fingerprint = p_fingerprint THEN known.body END;
        RETURN;
    END IF;

    -- Shared with every booking of the programme, exclusive for whoever freezes it or changes its rules: once they
    -- have returned, no booking under the old state can still commit.
    PERFORM pg_advisory_xact_lock_shared(hashtext('programme'), hashtext(p_programme));
    moment := clock_timestamp();  -- behind the lock: not before the last move of the rules

    SELECT p.frozen_since IS NOT NULL OR EXISTS (
               SELECT FROM region_freeze f WHERE f.programme = p_programme AND f.region IN (site.region, d.region)
           ) AS frozen,
           coalesce(
               (SELECT m.version FROM rule_move m
                 WHERE m.programme = p_programme AND m.pointer = 'active' AND m.scope = d.region
                   AND (NOT m.scheduled OR m.since <= moment)
                 ORDER BY m.id DESC LIMIT 1),
               (SELECT m.version FROM rule_move m
                 WHERE m.programme = p_programme AND m.pointer = 'active' AND m.scope = ''
                   AND (NOT m.scheduled OR m.since <= moment)
                 ORDER BY m.id DESC LIMIT 1)
           ) AS version,
           CASE WHEN p.last_known_rules THEN coalesce(d.stands_for, d.rule_version) ELSE d.rule_version END
               AS rule_version,
           d.ref, d.outcome, d.products AS granted, d.dose, d.expires_at, d.override,
           s.id AS slot, s.starts_at, s.ends_at, s.product, s.site, site.name, site.address, site.town, site.lat,
           site.lng, site.time_zone, site.step_free,
           (SELECT a.id FROM appointment a WHERE a.admission = p_admission) AS used_by,
           (SELECT a.id FROM appointment a
             WHERE a.programme = p_programme AND a.person = p_person AND a.dose = d.dose
               AND a.status IN ('held', 'confirmed', 'checked_in')) AS active
      INTO asked
      FROM programme p
      LEFT JOIN decision d ON d.ref = p_decision AND d.person = p_person AND d.programme = p.id
      LEFT JOIN slot s ON s.id = p_slot AND s.programme = p.id
      LEFT JOIN site ON site.id = s.site
     WHERE p.id = p_programme;
    outcome := CASE
        WHEN asked.frozen THEN 'frozen'
        WHEN asked.slot IS NULL THEN 'slot_unknown'
        WHEN asked.starts_at <= p_now THEN 'slot_past'
        WHEN asked.ref IS NULL THEN 'decision_unknown'
        WHEN asked.override IS NOT NULL AND asked.expires_at <= p_now THEN 'override_ended'
        WHEN asked.expires_at <= p_now THEN 'decision_expired'
        WHEN asked.override IS NULL AND asked.rule_version IS DISTINCT FROM asked.version THEN 'rules_changed'
        WHEN asked.outcome <> 'eligible' THEN 'not_eligible'
        WHEN asked.product <> ALL (asked.granted) THEN 'product_not_granted'
        WHEN asked.used_by IS NOT NULL THEN 'admission_used'
        WHEN asked.active IS NOT NULL THEN 'already_booked'
    END;
    IF outcome IS NULL AND asked.override IS NOT NULL THEN
        PERFORM FROM override o WHERE o.id = asked.override FOR SHARE;
        IF EXISTS (SELECT FROM override_revocation r WHERE r.override = asked.override) THEN
            outcome := 'override_ended';
        END IF;
    END IF;
    IF outcome IS NOT NULL THEN
        answer := CASE outcome
            WHEN 'admission_used' THEN to_json(asked.used_by)::text
            WHEN 'already_booked' THEN to_json(asked.active)::text
        END;
        RETURN;
    END IF;

    answer := json_build_object(
        'id', p_appointment, 'status', 'confirmed', 'product', asked.product, 'dose', asked.dose,
        'created_at', p_now, 'slot', asked.slot, 'starts_at', asked.starts_at, 'ends_at', asked.ends_at,
        'site', asked.site, 'name', asked.name, 'address', asked.address, 'town', asked.town,
        'lat', asked.lat, 'lng', asked.lng, 'time_zone', asked.time_zone, 'step_free', asked.step_free
    )::text;
    WITH taken AS (
        UPDATE slot SET remaining = remaining - 1 WHERE id = p_slot AND remaining > 0 RETURNING id
    ), booked AS (
        INSERT INTO appointment (id, programme, person, dose, slot, status, decision, admission, created_at, changed_at)
        SELECT p_appointment, p_programme, p_person, asked.dose, id, 'confirmed', p_decision, p_admission, p_now, p_now
          FROM taken
    ), audited AS (
        INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
        SELECT p_now, 'booked', p_programme, 'visitor', p_person, p_appointment,
               json_build_object('slot', id, 'decision', p_decision, 'rule_version', asked.version,
                                 'override', asked.override)
          FROM taken
    ), announced AS (
        INSERT INTO outbox (kind, appointment, appointment_version, created_at)
        SELECT 'booked', p_appointment, 1, p_now FROM taken
    )
    INSERT INTO idempotency (person, key, fingerprint, status, body, created_at)
    SELECT p_person, p_key, p_fingerprint, 201, answer, p_now FROM taken;
    outcome := 'booked';
    IF NOT FOUND THEN
        outcome := 'slot_gone';
        answer := to_json(asked.granted)::text;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION cancel(p_person bytea, p_appointment uuid, p_now timestamptz, OUT outcome text)
LANGUAGE plpgsql AS $$
DECLARE
    ours record;
BEGIN
    SELECT a.status, a.slot, a.programme, a.version, s.starts_at INTO ours
      FROM appointment a JOIN slot s ON s.id = a.slot
     WHERE a.id = p_appointment AND a.person = p_person
       FOR UPDATE OF a;
    outcome := CASE
        WHEN NOT FOUND THEN 'unknown'
        WHEN ours.status = 'cancelled' THEN 'already_cancelled'
        WHEN ours.status NOT IN ('held', 'confirmed') OR ours.starts_at <= p_now THEN 'too_late'
        ELSE 'cancelled'
    END;
    IF outcome <> 'cancelled' THEN
        RETURN;
    END IF;
    UPDATE appointment SET status = 'cancelled', version = version + 1, changed_at = p_now WHERE id = p_appointment;
    UPDATE slot SET remaining = remaining + 1 WHERE id = ours.slot;
    INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
    VALUES (p_now, 'cancelled', ours.programme, 'visitor', p_person, p_appointment,
            json_build_object('slot', ours.slot));
    INSERT INTO outbox (kind, appointment, appointment_version, created_at)
    VALUES ('cancelled', p_appointment, ours.version + 1, p_now);
END
$$;

UPDATE slot SET remaining = remaining + held.places
  FROM (SELECT hold.slot, count(*) AS places FROM hold GROUP BY hold.slot) held
 WHERE held.slot = slot.id;
DROP TABLE hold, course;
DELETE FROM outbox WHERE kind = 'moved';
UPDATE appointment SET admission = admission || ':' || part WHERE part > 1;
ALTER TABLE appointment
    DROP COLUMN part, DROP COLUMN follows, DROP COLUMN booked_by, DROP COLUMN moves, DROP COLUMN cancelled_by,
    ADD CONSTRAINT appointment_one_per_admission UNIQUE (admission);
ALTER TABLE programme
    DROP COLUMN hold_lasts, DROP COLUMN change_until, DROP COLUMN moves_at_most, DROP COLUMN cancels_at_most;
