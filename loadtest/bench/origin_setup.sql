-- Two programmes of the benchmark's own, alike but in name: `bench` for the origin, `bench-bare` for the yardstick.
-- Each has one site with :'slots' slots of :'capacity' places in the coming days, and the rules in force of :'programme'.
INSERT INTO programme (id, name, room, decision_ttl)
SELECT id, id, id, interval '1 day' FROM (VALUES ('bench'), ('bench-bare')) AS ours (id);
INSERT INTO rule_version (programme, version, ruleset, created_at, author, reason)
SELECT 'bench', version, ruleset, created_at, 'bench: author', '' FROM rule_version WHERE programme = :'programme';
INSERT INTO rule_review (programme, version, author, reviewer, verdict, reason, at)
SELECT programme, version, author, 'bench: reviewer', 'approved', '', now() FROM rule_version WHERE programme = 'bench';
INSERT INTO rule_move (pointer, act, programme, version, scheduled, since, actor, reason)
SELECT 'active', 'activated', 'bench', version, false, now(), 'bench: reviewer', ''
FROM rules_in_force WHERE programme = :'programme' AND region IS NULL;
INSERT INTO region (id, name) VALUES ('bench', 'bench');
INSERT INTO site (region, name, address, town, lat, lng, time_zone) VALUES ('bench', 'bench', '-', '-', 0, 0, 'UTC');
INSERT INTO slot (programme, site, starts_at, ends_at, product, capacity, remaining)
SELECT programme.id, site.id, starts_at, starts_at + interval '5 minutes', :'product', :'capacity', :'capacity'
FROM programme, site,
     generate_series(date_trunc('hour', now()) + interval '1 day',
                     date_trunc('hour', now()) + interval '1 day' + (:'slots'::int - 1) * interval '5 minutes',
                     interval '5 minutes') AS starts_at
WHERE programme.id LIKE 'bench%' AND site.region = 'bench'
ORDER BY programme.id, starts_at;  -- so that each programme's ids have no holes
ANALYZE slot;
SELECT json_object_agg(programme, slots) FROM (
    SELECT programme, json_agg(id ORDER BY id) AS slots FROM slot WHERE programme LIKE 'bench%' GROUP BY programme
) AS ids;
