-- migrate:up

-- Versions: drafted by one person, reviewed by another, shadowed, put in force, taken out of force. Nothing of that is
-- edited in place: each step is a row of its own, and what a version is now follows from its rows.

ALTER TABLE rule_version
    ADD COLUMN id     uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT rule_version_id UNIQUE,  -- audit rows name it
    ADD COLUMN region text REFERENCES region,         -- whose rules these are; null: the whole programme's
    ADD COLUMN scope  text GENERATED ALWAYS AS (coalesce(region, '')) STORED,  -- the same, never null, for keys
    ADD COLUMN author text NOT NULL DEFAULT 'before there were reviews: author',
    ADD COLUMN reason text NOT NULL DEFAULT '',
    ADD CONSTRAINT rule_version_author UNIQUE (programme, version, author),
    ADD CONSTRAINT rule_version_scope UNIQUE (programme, version, scope);
ALTER TABLE rule_version ALTER COLUMN author DROP DEFAULT, ALTER COLUMN reason DROP DEFAULT;

CREATE TABLE rule_review (
    programme text NOT NULL,
    version   integer NOT NULL,
    author    text NOT NULL,
    reviewer  text NOT NULL,
    verdict   text NOT NULL CHECK (verdict IN ('approved', 'rejected')),
    reason    text NOT NULL,
    at        timestamptz NOT NULL,
    CONSTRAINT rule_review_once PRIMARY KEY (programme, version),
    CONSTRAINT rule_review_verdict UNIQUE (programme, version, verdict),
    CONSTRAINT rule_review_of FOREIGN KEY (programme, version, author)
        REFERENCES rule_version (programme, version, author),
    CONSTRAINT rule_review_takes_two CHECK (reviewer <> author)
);

-- Two pointers for the programme and for each region: the version in force, and the candidate in its shadow. A pointer is
-- where its newest move has put it, newest by `id`, out of those whose moment has come by the clock of this database.
-- So a move voids whatever earlier moves had planned for later than itself. Moves of one programme are made one after
-- the other, under the lock that bookings share.
CREATE TABLE rule_move (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pointer   text NOT NULL,
    act       text NOT NULL,
    programme text NOT NULL REFERENCES programme,
    region    text REFERENCES region,
    scope     text GENERATED ALWAYS AS (coalesce(region, '')) STORED,
    version   integer,               -- null: to no version; in a region, the programme's rules hold then
    scheduled boolean NOT NULL,      -- a move that is not scheduled holds from its commit on, whatever clocks say
    since     timestamptz NOT NULL,
    made_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor     text NOT NULL,
    reason    text NOT NULL,
    verdict   text NOT NULL DEFAULT 'approved' CHECK (verdict = 'approved'),
    CONSTRAINT rule_move_reviewed FOREIGN KEY (programme, version, verdict)
        REFERENCES rule_review (programme, version, verdict),
    CONSTRAINT rule_move_scope FOREIGN KEY (programme, version, scope)
        REFERENCES rule_version (programme, version, scope),
    CONSTRAINT rule_move_act CHECK (
        pointer = 'active' AND act IN ('activated', 'rolled_back', 'retired')
        OR pointer = 'shadow' AND act IN ('shadowed', 'unshadowed')
    ),
    CONSTRAINT rule_move_to CHECK ((version IS NULL) <= (pointer = 'shadow' OR region IS NOT NULL)),
    CONSTRAINT rule_move_scheduled CHECK (scheduled <= (act = 'activated'))
);
CREATE INDEX rule_move_newest ON rule_move (programme, pointer, scope, id);

INSERT INTO rule_review (programme, version, author, reviewer, verdict, reason, at)
SELECT programme, version, author, 'before there were reviews: reviewer', 'approved', '', created_at FROM rule_version;
INSERT INTO rule_move (pointer, act, programme, version, scheduled, since, made_at, actor, reason)
SELECT 'active', 'activated', programme, version, false, since, since, 'before there were reviews: reviewer', ''
  FROM rules_in_force ORDER BY since;
DROP TABLE rules_in_force;

CREATE VIEW rules_in_force AS
SELECT programme, region, version, since
  FROM (SELECT DISTINCT ON (programme, scope) programme, scope, region, version, since
          FROM rule_move
         WHERE pointer = 'active' AND (NOT scheduled OR since <= clock_timestamp())
         ORDER BY programme, scope, id DESC) newest
 WHERE version IS NOT NULL;

-- The version in force for people of a region: its own where it has one, else the programme's.
CREATE FUNCTION version_in_force(p_programme text, p_region text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
BEGIN
    RETURN coalesce(
        (SELECT m.version FROM rule_move m
          WHERE m.programme = p_programme AND m.pointer = 'active' AND m.scope = p_region
            AND (NOT m.scheduled OR m.since <= moment)
          ORDER BY m.id DESC LIMIT 1),
        (SELECT m.version FROM rule_move m
          WHERE m.programme = p_programme AND m.pointer = 'active' AND m.scope = ''
            AND (NOT m.scheduled OR m.since <= moment)
          ORDER BY m.id DESC LIMIT 1)
    );
END
$$;

-- Where the rules in force cannot be loaded, decisions are refused. A programme that sets this has those before them
-- decide instead, as a rollback would; such a decision `stands_for` the version that was in force.
ALTER TABLE programme ADD COLUMN last_known_rules boolean NOT NULL DEFAULT false;

-- Freezes -------------------------------------------------------------------------------------------------------------

-- While a region is here, nothing is booked at its sites nor for its people. `programme.frozen_since` stops everything.
CREATE TABLE region_freeze (
    programme text NOT NULL REFERENCES programme,
    region    text NOT NULL REFERENCES region,
    since     timestamptz NOT NULL,
    reason    text NOT NULL,
    PRIMARY KEY (programme, region)
);

CREATE TABLE freeze_event (
    id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    programme text NOT NULL REFERENCES programme,
    region    text REFERENCES region,
    act       text NOT NULL CHECK (act IN ('frozen', 'unfrozen')),
    at        timestamptz NOT NULL,
    actor     text NOT NULL,
    reason    text NOT NULL
);
CREATE INDEX freeze_event_of ON freeze_event (programme, at);

-- Decisions: whose rules made them, and what candidates would have said ------------------------------------------------

ALTER TABLE decision
    ADD COLUMN region     text REFERENCES region,  -- as declared, where there is such a region
    ADD COLUMN stands_for integer,                 -- see `last_known_rules`; else null
    ADD CONSTRAINT decision_stands_for FOREIGN KEY (programme, stands_for) REFERENCES rule_version;
CREATE INDEX decision_under ON decision (programme, rule_version, created_at, ref);

-- Decisions that a candidate has not been asked about yet.
CREATE TABLE shadow_waiting (
    decision  uuid NOT NULL REFERENCES decision ON DELETE CASCADE,
    programme text NOT NULL,
    version   integer NOT NULL,
    PRIMARY KEY (decision, version),
    FOREIGN KEY (programme, version) REFERENCES rule_version
);

-- What a candidate said. `same`: outcome, products and dose are those of the decision. No facts.
CREATE TABLE shadow_outcome (
    programme text NOT NULL,
    version   integer NOT NULL,
    decision  uuid NOT NULL REFERENCES decision ON DELETE CASCADE,
    same      boolean NOT NULL,
    outcome   text NOT NULL CHECK (outcome IN ('eligible', 'not_eligible', 'incomplete')),
    reasons   text[] NOT NULL,
    region    text,
    PRIMARY KEY (programme, version, decision),
    FOREIGN KEY (programme, version) REFERENCES rule_version
);

-- Replays: all decisions of one version, made again under another ------------------------------------------------------

CREATE TABLE replay (
    id           uuid PRIMARY KEY,
    programme    text NOT NULL,
    from_version integer NOT NULL,
    to_version   integer NOT NULL,
    started_at   timestamptz NOT NULL,
    finished_at  timestamptz,
    total        bigint NOT NULL,           -- decisions when it began
    after_at     timestamptz NOT NULL DEFAULT '-infinity',  -- the last decision that was looked at: moment and reference
    after_ref    uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    seen         bigint NOT NULL DEFAULT 0,
    changed      bigint NOT NULL DEFAULT 0,
    erased       bigint NOT NULL DEFAULT 0,  -- their facts are gone: nobody can tell
    FOREIGN KEY (programme, from_version) REFERENCES rule_version,
    FOREIGN KEY (programme, to_version) REFERENCES rule_version
);
CREATE UNIQUE INDEX replay_unfinished ON replay (programme, from_version, to_version) WHERE finished_at IS NULL;

-- A decision that comes out differently, or was booked with and cannot be made again (`outcome` is null then).
CREATE TABLE replay_finding (
    replay   uuid NOT NULL REFERENCES replay,
    decision uuid NOT NULL REFERENCES decision ON DELETE CASCADE,
    outcome  text CHECK (outcome IN ('eligible', 'not_eligible', 'incomplete')),
    reasons  text[] NOT NULL,
    PRIMARY KEY (replay, decision)
);

-- What is never edited --------------------------------------------------------------------------------------------------

CREATE FUNCTION refuse_edits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ruleset EXECUTE FUNCTION refuse_edits();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_version EXECUTE FUNCTION refuse_edits();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_review EXECUTE FUNCTION refuse_edits();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_move EXECUTE FUNCTION refuse_edits();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON freeze_event EXECUTE FUNCTION refuse_edits();

-- migrate:down
-- Versions for single regions have no place in the older schema: take them out of force before.
CREATE TABLE rules_in_force_before (
    programme text PRIMARY KEY REFERENCES programme,
    version   integer NOT NULL,
    since     timestamptz NOT NULL,
    FOREIGN KEY (programme, version) REFERENCES rule_version
);
INSERT INTO rules_in_force_before SELECT programme, version, since FROM rules_in_force WHERE region IS NULL;
DROP TRIGGER append_only ON ruleset;
DROP TRIGGER append_only ON rule_version;
DROP TABLE replay_finding, replay, shadow_outcome, shadow_waiting, freeze_event, region_freeze;
DROP INDEX decision_under;
ALTER TABLE decision DROP COLUMN region, DROP COLUMN stands_for;
ALTER TABLE programme DROP COLUMN last_known_rules;
DROP FUNCTION version_in_force;
DROP VIEW rules_in_force;
DROP TABLE rule_move, rule_review;
DROP FUNCTION refuse_edits;
ALTER TABLE rule_version
    DROP CONSTRAINT rule_version_author, DROP CONSTRAINT rule_version_scope,
    DROP COLUMN scope, DROP COLUMN region, DROP COLUMN id, DROP COLUMN author, DROP COLUMN reason;
ALTER TABLE rules_in_force_before RENAME TO rules_in_force;
ALTER INDEX rules_in_force_before_pkey RENAME TO rules_in_force_pkey;
ALTER TABLE rules_in_force RENAME CONSTRAINT rules_in_force_before_programme_fkey TO rules_in_force_programme_fkey;
ALTER TABLE rules_in_force RENAME CONSTRAINT rules_in_force_before_programme_version_fkey
    TO rules_in_force_programme_version_fkey;
