-- A decision of the benchmark's as the origin has stored it, as text: what `decide.sql` takes.
SELECT json_build_object('region', d.region, 'rule_version', d.rule_version::text, 'ruleset', d.ruleset,
                         'evaluator', d.evaluator, 'products', d.products::text, 'dose', d.dose::text,
                         'inputs_hash', d.inputs_hash::text, 'branches', d.branches::text,
                         'facts_sealed', d.facts_sealed::text, 'details', a.details::text)
  FROM decision d JOIN audit_event a ON a.about = d.ref AND a.kind = 'decided'
 WHERE d.programme = 'bench' AND d.outcome = 'eligible'
 LIMIT 1;
