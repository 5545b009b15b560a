-- migrate:up

-- Exceptions from the rules: for one person, one product and dose, until a moment. One official makes it, another confirms
-- it, and then it is a decision of its own that can be booked with; either may be undone by a revocation. Nothing is edited.

CREATE TABLE override (
    id         uuid PRIMARY KEY,
    programme  text NOT NULL REFERENCES programme,
    person     bytea NOT NULL CHECK (octet_length(person) = 32),
    overrules  uuid NOT NULL REFERENCES decision,
    product    text NOT NULL,            -- CVX code
    dose       smallint NOT NULL CHECK (dose > 0),
    author     text NOT NULL,
    made_by    bytea NOT NULL,           -- the author's pseudonym: two names may be one person's
    reason     text NOT NULL CHECK (reason <> ''),
    made_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT override_ends CHECK (expires_at > made_at AND expires_at <= made_at + interval '744 hours'),
    CONSTRAINT override_not_ones_own CHECK (made_by <> person),
    CONSTRAINT override_of UNIQUE (id, author, made_by, person)
);
CREATE INDEX override_of_person ON override (person);
CREATE INDEX override_of_decision ON override (overrules);
CREATE INDEX override_of_programme ON override (programme, made_at);

CREATE TABLE override_confirmation (
    override     uuid NOT NULL,
    author       text NOT NULL,
    made_by      bytea NOT NULL,
    person       bytea NOT NULL,
    confirmer    text NOT NULL,
    confirmed_by bytea NOT NULL,
    reason       text NOT NULL CHECK (reason <> ''),
    at           timestamptz NOT NULL,
    CONSTRAINT override_confirmed_once PRIMARY KEY (override),
    CONSTRAINT override_confirmation_of FOREIGN KEY (override, author, made_by, person)
        REFERENCES override (id, author, made_by, person),
    CONSTRAINT override_takes_two CHECK (confirmer <> author AND confirmed_by NOT IN (made_by, person))
);

CREATE TABLE override_revocation (
    override uuid NOT NULL REFERENCES override,
    actor    text NOT NULL,
    reason   text NOT NULL CHECK (reason <> ''),
    at       timestamptz NOT NULL,
    CONSTRAINT override_revoked_once PRIMARY KEY (override)
);

-- The decision that an override is: what it overrules has the rules, and the hash of the facts.
ALTER TABLE decision
    ADD COLUMN override uuid CONSTRAINT decision_confirmed REFERENCES override_confirmation,
    ADD CONSTRAINT decision_by CHECK ((override IS NOT NULL) = (evaluator = 'override')),
    ADD CONSTRAINT decision_grants_by_override CHECK (override IS NULL OR outcome = 'eligible');
CREATE UNIQUE INDEX decision_one_per_override ON decision (override) WHERE override IS NOT NULL;
CREATE INDEX decision_of_person ON decision (person, created_at);

-- Each override with all that became of it.
CREATE VIEW override_told AS
SELECT o.id, o.programme, o.person, o.overrules, o.product, o.dose, o.author, o.reason, o.made_at, o.expires_at,
       c.confirmer, c.reason AS confirmed_because, c.at AS confirmed_at, d.ref AS decision_ref,
       r.actor AS revoked_by, r.reason AS revoked_because, r.at AS revoked_at
  FROM override o
  LEFT JOIN override_confirmation c ON c.override = o.id
  LEFT JOIN decision d ON d.override = o.id
  LEFT JOIN override_revocation r ON r.override = o.id;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON override EXECUTE FUNCTION refuse_edits();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON override_confirmation EXECUTE FUNCTION refuse_edits();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON override_revocation EXECUTE FUNCTION refuse_edits();

-- migrate:down
-- Decisions by override have no place in the older schema: what was booked with them must be gone before.
DELETE FROM audit_event USING decision d WHERE about = d.ref AND kind = 'decided' AND d.override IS NOT NULL;
DELETE FROM decision WHERE override IS NOT NULL;
DROP VIEW override_told;
DROP INDEX decision_of_person;
ALTER TABLE decision
    DROP CONSTRAINT decision_by, DROP CONSTRAINT decision_grants_by_override, DROP COLUMN override;
DROP TABLE override_revocation, override_confirmation, override;
