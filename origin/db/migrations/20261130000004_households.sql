-- migrate:up

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

-- migrate:down
DROP FUNCTION name_member;
DROP TABLE household_member, household_naming;
