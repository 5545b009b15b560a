-- One decision with its audit row in one statement, no checks: what `pgbench` runs. The values that are the same each
-- time (`:branches`, …) are those of a decision that the origin has stored.
WITH decided AS (
    INSERT INTO decision (ref, programme, region, person, outcome, rule_version, ruleset, evaluator, as_of, products, dose,
                          inputs_hash, branches, facts_sealed, created_at, expires_at)
    VALUES (gen_random_uuid(), 'bench', :region, sha256(uuid_send(gen_random_uuid())), 'eligible', :rule_version, :ruleset,
            :evaluator, current_date, :products, :dose, :inputs_hash, :branches, :facts_sealed, now(),
            now() + interval '1 day')
    RETURNING ref, person
)
INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
SELECT now(), 'decided', 'bench', 'visitor', person, ref, :details FROM decided;
