-- :'slots' slots in a database of the benchmark's own: one site for each 500 of them, in groups of 20 that lie within 20 km of
-- one another and 2 degrees from the next group, so that a search finds as much however many groups there are. A slot each
-- half hour, from nine to six, for 28 days from tomorrow; one in three is taken.
INSERT INTO programme (id, name, room) VALUES ('bench', 'bench', 'bench');
INSERT INTO region (id, name) VALUES ('bench', 'bench');
INSERT INTO site (region, name, address, town, lat, lng, time_zone)
SELECT 'bench', 'Site ' || n, 'Street ' || n, 'Town ' || n / 20,
       -45 + 2 * (n / 20 / 10) + (n % 5 - 2) * 0.06, -70 + 2 * (n / 20 % 10) + (n % 20 / 5 - 1.5) * 0.08, 'UTC'
  FROM generate_series(0, :'slots'::int / 500 - 1) AS n;
SET session_replication_role = replica;  -- the keys are right; a million look-ups less
INSERT INTO slot (programme, site, starts_at, ends_at, product, capacity, remaining)
SELECT 'bench', site.id, day + at * interval '30 minutes', day + (at + 1) * interval '30 minutes', '140', 10,
       CASE WHEN (site.id + at) % 3 = 0 THEN 0 ELSE 7 END
  FROM site, generate_series(current_date + interval '1 day 9 hours', current_date + interval '28 days 9 hours', interval '1 day')
             AS day, generate_series(0, 17) AS at
 WHERE at < 17 OR extract(day FROM day)::int % 7 < 6
 ORDER BY site.id, day, at;
VACUUM (ANALYZE) site, slot;
CHECKPOINT;
SELECT json_build_object('slots', (SELECT count(*) FROM slot), 'sites', (SELECT count(*) FROM site));
