-- migrate:up

-- Courses -----------------------------------------------------------------------------------------------------------------

-- Whether the dose may be booked without the one behind it.
ALTER TABLE course ADD COLUMN first_alone boolean NOT NULL DEFAULT true;
CREATE INDEX course_together ON course (programme) WHERE NOT first_alone;

-- Whether what a decision grants of a slot's product must be booked together with the dose behind it.
CREATE FUNCTION needs_next(p_programme text, p_person bytea, p_slot bigint, p_decision uuid)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM course c
          JOIN decision d ON d.ref = p_decision AND d.person = p_person AND d.dose = c.dose
          JOIN slot s ON s.id = p_slot AND s.product = c.product
         WHERE c.programme = p_programme AND NOT c.first_alone)
$$;

-- Households --------------------------------------------------------------------------------------------------------------

-- For whom a person books besides themselves. `person` is a keyed hash of a number on the member's document, so that two
-- holders who name the same child name one person. `name` is sealed, and bound to the id.
CREATE TABLE household_member (
    id         uuid PRIMARY KEY,
    holder     bytea NOT NULL CHECK (octet_length(holder) = 32),
    person     bytea NOT NULL CHECK (octet_length(person) = 32),
    name       bytea NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT household_member_once UNIQUE (holder, person)
);

-- When a holder named somebody; whom, is not kept. After a day it counts no more, and goes when the next ones are named.
CREATE TABLE household_naming (
    holder   bytea NOT NULL CHECK (octet_length(holder) = 32),
    named_at timestamptz NOT NULL
);
CREATE INDEX household_naming_of_holder ON household_naming (holder, named_at);
CREATE INDEX household_naming_at ON household_naming (named_at);

-- Names a member of a holder's household; one at a time.
-- outcome: named | known (member: under which id they are there already) | too_many | too_many_today
CREATE FUNCTION name_member(
    p_id uuid, p_holder bytea, p_person bytea, p_name bytea, p_now timestamptz, p_at_most integer, p_a_day integer,
    OUT outcome text, OUT member uuid
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('household ' || encode(p_holder, 'hex'), 0));
    SELECT 'known', m.id INTO outcome, member FROM household_member m WHERE m.holder = p_holder AND m.person = p_person;
    IF FOUND THEN
        RETURN;
    END IF;
    DELETE FROM household_naming
     WHERE ctid = ANY (ARRAY(SELECT n.ctid FROM household_naming n WHERE n.named_at <= p_now - interval '1 day'
                              ORDER BY n.named_at LIMIT 20 FOR UPDATE SKIP LOCKED));
    outcome := CASE
        WHEN (SELECT count(*) FROM household_member m WHERE m.holder = p_holder) >= p_at_most THEN 'too_many'
        WHEN (SELECT count(*) FROM household_naming n
               WHERE n.holder = p_holder AND n.named_at > p_now - interval '1 day') >= p_a_day THEN 'too_many_today'
        ELSE 'named'
    END;
    IF outcome = 'named' THEN
        member := p_id;
        INSERT INTO household_member (id, holder, person, name, created_at)
        VALUES (p_id, p_holder, p_person, p_name, p_now);
        INSERT INTO household_naming (holder, named_at) VALUES (p_holder, p_now);
    END IF;
END
$$;

-- Booking -----------------------------------------------------------------------------------------------------------------

-- As before; and a dose that is booked with the next one only is not booked alone: next_dose_missing.
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

-- As before, and
-- - `part` is told;
-- - a person that is null, somebody whom the booker no longer has in their household, is refused: member_unknown;
-- - a dose that is booked with the next one only has it in the booking, or is refused: next_dose_missing;
-- - a place that the booker holds counts for whoever of the booking gets it;
-- - the programme is locked first, then persons, then slots, each in their order: two holders who name the same people do not
--   wait for each other, and nobody waits for a freeze that waits for them.
CREATE OR REPLACE FUNCTION book_group(
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

-- migrate:down
CREATE OR REPLACE FUNCTION book(
    p_person bytea, p_key text, p_fingerprint bytea, p_programme text, p_slot bigint, p_decision uuid,
    p_admission text, p_appointment uuid, p_now timestamptz, OUT outcome text, OUT answer text
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT k.outcome, k.answer INTO outcome, answer FROM known_answer(p_person, p_key, p_fingerprint) k;
    IF outcome IS NOT NULL THEN
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

CREATE OR REPLACE FUNCTION book_group(
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
    PERFORM FROM slot s WHERE s.id = ANY (p_slots) ORDER BY s.id FOR NO KEY UPDATE;
    BEGIN
        FOR part IN 1 .. cardinality(p_slots) LOOP
            SELECT b.outcome, b.answer INTO outcome, answer
              FROM book_part(p_persons[part], p_programme, p_slots[part], p_decisions[part], p_admission, part,
                             p_appointments[p_follows[part]], nullif(p_booker, p_persons[part]), p_appointments[part],
                             p_now) b;
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

DROP FUNCTION name_member, needs_next;
DROP TABLE household_member, household_naming;
DROP INDEX course_together;
ALTER TABLE course DROP COLUMN first_alone;
