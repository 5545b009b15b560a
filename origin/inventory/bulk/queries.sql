-- name: hold_imports^
-- One import at a time, for as long as the session lives; false when another one is under way.
SELECT pg_try_advisory_lock(hashtext('supply import')) AS mine;

-- name: let_imports_go^
SELECT pg_advisory_unlock(hashtext('supply import')) AS done;

-- name: stage#
-- Tables of this session alone; they go with it, whatever happens.
CREATE TEMP TABLE IF NOT EXISTS staged_slot (
    source integer, line integer, site text, starts_at timestamptz, ends_at timestamptz, product text, capacity integer,
    template bigint
);
CREATE TEMP TABLE IF NOT EXISTS planned (
    n bigint PRIMARY KEY, source integer, line integer, site bigint, code text, slot bigint, starts_at timestamptz,
    ends_at timestamptz, product text, capacity integer, template bigint, had integer, taken integer, act text
);
TRUNCATE staged_slot, planned;
SET work_mem = '64MB';

-- name: staged#
ANALYZE staged_slot;

-- name: only_programme
-- The programmes there are, two at most.
SELECT id FROM programme LIMIT 2;

-- name: programme_is_there^
SELECT id FROM programme WHERE id = :programme;

-- name: known_regions
SELECT id FROM region;

-- name: known_sites
SELECT code, time_zone, products FROM site;

-- name: staged_twice
-- Slots that came more than once, each with the row before it.
SELECT source, line, source_before, line_before
  FROM (SELECT source, line, lag(source) OVER same AS source_before, lag(line) OVER same AS line_before
          FROM staged_slot
        WINDOW same AS (PARTITION BY site, starts_at, product ORDER BY source, line)) each
 WHERE line_before IS NOT NULL
 ORDER BY source, line;

-- name: zones_in_use
-- Sites that would get another time zone although slots of theirs are still to come.
SELECT site.code, site.time_zone
  FROM jsonb_to_recordset(:rows::jsonb) AS given (code text, time_zone text)
  JOIN site ON site.code = given.code AND site.time_zone <> given.time_zone
 WHERE EXISTS (SELECT FROM slot WHERE slot.site = site.id AND slot.starts_at > :now);

-- name: people_to_tell
-- Sites that get another name or place, and how many people have an appointment there that is still to come.
SELECT site.code, count(*) AS appointments
  FROM jsonb_to_recordset(:rows::jsonb) AS given (code text, name text, address text, town text, lat float8, lng float8)
  JOIN site ON site.code = given.code
           AND (site.name, site.address, site.town, site.lat, site.lng)
               IS DISTINCT FROM (given.name, given.address, given.town, given.lat, given.lng)
  JOIN slot ON slot.site = site.id AND slot.starts_at > :now
  JOIN appointment ON appointment.slot = slot.id AND appointment.status IN ('held', 'confirmed', 'checked_in')
 GROUP BY site.code
 ORDER BY site.code;

-- name: put_regions^
WITH put AS (
    INSERT INTO region (id, name)
    SELECT given.id, given.name FROM jsonb_to_recordset(:rows::jsonb) AS given (id text, name text)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE region.name <> excluded.name
    RETURNING xmax = 0 AS is_new
)
SELECT count(*) FILTER (WHERE is_new) AS added, count(*) FILTER (WHERE NOT is_new) AS changed FROM put;

-- name: put_sites^
-- What is null was not in the file, and stays.
WITH given AS (
    SELECT code, region, name, address, town, lat, lng, time_zone, step_free, postcode,
           CASE WHEN accessibility IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(accessibility)) END
               AS accessibility,
           phone, email, url,
           CASE WHEN products IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(products)) END AS products
      FROM jsonb_to_recordset(:rows::jsonb) AS g (
               code text, region text, name text, address text, town text, lat float8, lng float8, time_zone text,
               step_free boolean, postcode text, accessibility jsonb, phone text, email text, url text, products jsonb)
), changed AS (
    UPDATE site
       SET (region, name, address, town, lat, lng, time_zone, step_free, postcode, accessibility, phone, email, url,
            products)
         = (g.region, g.name, g.address, g.town, g.lat, g.lng, g.time_zone, g.step_free,
            coalesce(g.postcode, site.postcode), coalesce(g.accessibility, site.accessibility),
            coalesce(g.phone, site.phone), coalesce(g.email, site.email), coalesce(g.url, site.url),
            coalesce(g.products, site.products))
      FROM given g
     WHERE site.code = g.code
       AND (site.region, site.name, site.address, site.town, site.lat, site.lng, site.time_zone, site.step_free,
            site.postcode, site.accessibility, site.phone, site.email, site.url, site.products)
           IS DISTINCT FROM
           (g.region, g.name, g.address, g.town, g.lat, g.lng, g.time_zone, g.step_free,
            coalesce(g.postcode, site.postcode), coalesce(g.accessibility, site.accessibility),
            coalesce(g.phone, site.phone), coalesce(g.email, site.email), coalesce(g.url, site.url),
            coalesce(g.products, site.products))
    RETURNING site.id
), added AS (
    INSERT INTO site (code, region, name, address, town, lat, lng, time_zone, step_free, postcode, accessibility, phone,
                      email, url, products)
    SELECT code, region, name, address, town, lat, lng, time_zone, step_free, coalesce(postcode, ''),
           coalesce(accessibility, '{}'), coalesce(phone, ''), coalesce(email, ''), coalesce(url, ''),
           coalesce(products, '{}')
      FROM given
     WHERE NOT EXISTS (SELECT FROM site WHERE site.code = given.code)
    RETURNING id
)
SELECT (SELECT count(*) FROM added) AS added, (SELECT count(*) FROM changed) AS changed;

-- name: put_templates^
WITH given AS (
    SELECT g.code, site.id AS site, ARRAY(SELECT jsonb_array_elements_text(weekdays)::smallint) AS weekdays, opens, closes,
           ARRAY(SELECT jsonb_array_elements_text(breaks_from)::time) AS breaks_from,
           ARRAY(SELECT jsonb_array_elements_text(breaks_until)::time) AS breaks_until, slot_minutes, capacity,
           product, first_day, last_day
      FROM jsonb_to_recordset(:rows::jsonb) AS g (
               code text, site text, weekdays jsonb, opens time, closes time, breaks_from jsonb, breaks_until jsonb,
               slot_minutes integer, capacity integer, product text, first_day date, last_day date)
      JOIN site ON site.code = g.site
), put AS (
    INSERT INTO clinic_template AS t (programme, code, site, weekdays, opens, closes, breaks_from, breaks_until,
                                      slot_minutes, capacity, product, first_day, last_day)
    SELECT :programme, code, site, weekdays, opens, closes, breaks_from, breaks_until, slot_minutes, capacity, product,
           first_day, last_day
      FROM given
    ON CONFLICT ON CONSTRAINT clinic_template_code DO UPDATE
       SET site = excluded.site, weekdays = excluded.weekdays, opens = excluded.opens, closes = excluded.closes,
           breaks_from = excluded.breaks_from, breaks_until = excluded.breaks_until,
           slot_minutes = excluded.slot_minutes, capacity = excluded.capacity, product = excluded.product,
           first_day = excluded.first_day, last_day = excluded.last_day
     WHERE (t.site, t.weekdays, t.opens, t.closes, t.breaks_from, t.breaks_until, t.slot_minutes, t.capacity, t.product,
            t.first_day, t.last_day)
           IS DISTINCT FROM
           (excluded.site, excluded.weekdays, excluded.opens, excluded.closes, excluded.breaks_from,
            excluded.breaks_until, excluded.slot_minutes, excluded.capacity, excluded.product, excluded.first_day,
            excluded.last_day)
    RETURNING xmax = 0 AS is_new
)
SELECT count(*) FILTER (WHERE is_new) AS added, count(*) FILTER (WHERE NOT is_new) AS changed FROM put;

-- name: put_exceptions^
-- `removed` are those that were taken back.
WITH given AS (
    SELECT g.region, site.id AS site, g.day, g.name, g.what, g.opens, g.closes
      FROM jsonb_to_recordset(:rows::jsonb) AS g (
               region text, site text, day date, name text, what text, opens time, closes time)
      LEFT JOIN site ON site.code = g.site
), put AS (
    INSERT INTO clinic_exception AS e (programme, region, site, day, name, opens, closes)
    SELECT :programme, region, site, day, name, opens, closes FROM given WHERE what <> 'none'
    ON CONFLICT ON CONSTRAINT clinic_exception_once DO UPDATE
       SET name = excluded.name, opens = excluded.opens, closes = excluded.closes
     WHERE (e.name, e.opens, e.closes) IS DISTINCT FROM (excluded.name, excluded.opens, excluded.closes)
    RETURNING xmax = 0 AS is_new
), removed AS (
    DELETE FROM clinic_exception e USING given g
     WHERE g.what = 'none' AND e.programme = :programme AND e.day = g.day
       AND e.region IS NOT DISTINCT FROM g.region AND e.site IS NOT DISTINCT FROM g.site
    RETURNING e.day
)
SELECT (SELECT count(*) FROM put WHERE is_new) AS added,
       (SELECT count(*) FROM put WHERE NOT is_new) + (SELECT count(*) FROM removed) AS changed;

-- name: clinics
-- The programme's recurring clinics, with the zone and region of their sites.
SELECT t.id, t.code, site.code AS site, site.region, site.time_zone, t.weekdays, t.opens, t.closes, t.breaks_from,
       t.breaks_until, t.slot_minutes, t.capacity, t.product, t.first_day, t.last_day
  FROM clinic_template t JOIN site ON site.id = t.site
 WHERE t.programme = :programme
 ORDER BY t.code;

-- name: exceptions
-- Days that are not like their weekday; those that count least first.
SELECT e.region, site.code AS site, e.day, e.opens, e.closes
  FROM clinic_exception e LEFT JOIN site ON site.id = e.site
 WHERE e.programme = :programme AND e.day >= :first AND e.day < :until
 ORDER BY (e.site IS NOT NULL), (e.region IS NOT NULL);

-- name: stage_withdrawals!
-- Slots that a clinic once made and does not make any more get no places: on the days asked for, and behind its last day.
INSERT INTO staged_slot (source, line, site, starts_at, ends_at, product, capacity, template)
SELECT asked.source, 0, site.code, slot.starts_at, slot.ends_at, slot.product, 0, slot.template
  FROM unnest(:templates::bigint[], :sources::integer[], :froms::timestamptz[], :untils::timestamptz[],
              :ends::timestamptz[])
       AS asked (template, source, since, until, ended)
  JOIN slot ON slot.template = asked.template AND slot.starts_at > :now
           AND (slot.starts_at >= asked.since AND slot.starts_at < asked.until OR slot.starts_at >= asked.ended)
  JOIN site ON site.id = slot.site
 WHERE slot.capacity > 0
   AND NOT EXISTS (SELECT FROM staged_slot s WHERE s.site = site.code AND s.starts_at = slot.starts_at
                      AND s.product = slot.product AND s.template = slot.template);

-- name: plan!
-- What is to be done with each staged slot. Nothing is, and it is not kept, where all is as it should be already.
--
-- act: add | change | past (it has begun) | others (a person's, or another clinic's) | booked (fewer places than are booked or
-- held, or another end although people were told the old one; nobody has decided) | left | cut (decided) | near (cut already,
-- as far as that goes)
-- A lapsed hold that nobody has swept yet is nobody's place: the merge gives it back before it changes the slot.
WITH lapsed AS (
    SELECT slot, count(*)::integer AS holds FROM hold WHERE expires_at <= :now GROUP BY slot
), seen AS (
    SELECT staged_slot.*, site.id AS site_id, slot.id AS slot, slot.capacity AS has, slot.ends_at AS ends,
           slot.template AS made_by, slot.capacity - slot.remaining - coalesce(lapsed.holds, 0) AS taken
      FROM staged_slot
      JOIN site ON site.code = staged_slot.site
      LEFT JOIN slot ON slot.site = site.id AND slot.starts_at = staged_slot.starts_at
                    AND slot.product = staged_slot.product AND slot.programme = :programme
      LEFT JOIN lapsed ON lapsed.slot = slot.id
), judged AS (
    SELECT seen.*, CASE
               WHEN has = capacity AND ends = ends_at THEN 'same'
               WHEN starts_at <= :now THEN 'past'
               WHEN slot IS NULL THEN 'add'
               WHEN template IS NOT NULL AND made_by IS DISTINCT FROM template THEN 'others'
               WHEN capacity >= taken AND (taken = 0 OR ends_at = ends) THEN 'change'
               WHEN :booked = 'cut' AND greatest(capacity, taken) = has THEN 'near'
               ELSE coalesce(CASE :booked WHEN 'cut' THEN 'cut' WHEN 'leave' THEN 'left' END, 'booked')
           END AS act
      FROM seen
)
INSERT INTO planned (n, source, line, site, code, slot, starts_at, ends_at, product, capacity, template, had, taken, act)
SELECT row_number() OVER (ORDER BY act NOT IN ('add', 'change', 'cut'), act, slot, site_id, starts_at),
       source, line, site_id, site, slot, starts_at, ends_at, product, capacity, template, coalesce(has, 0), taken, act
  FROM judged
 WHERE act <> 'same';

-- name: planned#
ANALYZE planned;

-- name: counts
-- How many slots each act is for, and how many places it adds or takes away.
SELECT act, count(*) AS slots, sum(greatest(capacity, taken) - had)::bigint AS places FROM planned GROUP BY act;

-- name: staged_count^
SELECT count(*) AS slots FROM staged_slot;

-- name: people_in_the_way
-- Slots with people in them that stand against what was asked: how many have booked, with the appointments, and how many
-- places are held, with the moment at which the last of them is let go unless it is booked.
SELECT planned.source, planned.line, planned.code AS site, site.time_zone, planned.starts_at, planned.product, planned.act,
       planned.capacity AS wanted, slot.ends_at <> planned.ends_at AS other_end,
       (SELECT count(*) FROM appointment a WHERE a.slot = slot.id AND a.status <> 'cancelled') AS booked,
       held.holds AS held, held.until AS held_until,
       ARRAY(SELECT a.id FROM appointment a WHERE a.slot = slot.id AND a.status <> 'cancelled'
              ORDER BY a.created_at, a.id LIMIT :people) AS appointments
  FROM planned
  JOIN slot ON slot.id = planned.slot
  JOIN site ON site.id = planned.site
 CROSS JOIN LATERAL (
        SELECT count(*) AS holds, max(h.expires_at) AS until FROM hold h WHERE h.slot = slot.id AND h.expires_at > :now
       ) held
 WHERE planned.act IN ('booked', 'left', 'cut', 'near')
 ORDER BY planned.n
 LIMIT :at_most;

-- name: lock_slots#
-- Slots of a batch, locked as bookings lock them: in the order of their ids.
SELECT FROM slot JOIN planned ON planned.slot = slot.id
 WHERE planned.n > :after AND planned.n <= :upto AND planned.act IN ('change', 'cut')
 ORDER BY slot.id
   FOR NO KEY UPDATE OF slot;

-- name: free_lapsed!
-- Gives back the places of holds that have lapsed, at slots of a batch, which are locked: nobody has them. One that somebody
-- is just taking over is theirs.
WITH lapsed AS MATERIALIZED (
    SELECT hold.id
      FROM planned
      JOIN hold ON hold.slot = planned.slot
     WHERE planned.n > :after AND planned.n <= :upto AND planned.act IN ('change', 'cut') AND hold.expires_at <= :now
       FOR UPDATE OF hold SKIP LOCKED
), freed AS (
    DELETE FROM hold USING lapsed WHERE hold.id = lapsed.id RETURNING hold.slot
)
UPDATE slot SET remaining = slot.remaining + freed.places
  FROM (SELECT freed.slot, count(*) AS places FROM freed GROUP BY freed.slot) freed
 WHERE slot.id = freed.slot;

-- name: change_slots^
-- Capacity and what remains of it in one statement, relative to how many places are taken at this moment, booked or held:
-- `remaining` = capacity - taken holds whoever books meanwhile. Where somebody has come since the plan, and nobody has decided to cut, the slot
-- is left alone and kept as what stands in the way.
WITH changed AS (
    UPDATE slot
       SET capacity = greatest(planned.capacity, slot.capacity - slot.remaining),
           remaining = greatest(planned.capacity, slot.capacity - slot.remaining) - (slot.capacity - slot.remaining),
           ends_at = CASE WHEN slot.remaining = slot.capacity THEN planned.ends_at ELSE slot.ends_at END,
           template = planned.template
      FROM planned
     WHERE planned.n > :after AND planned.n <= :upto AND planned.act IN ('change', 'cut') AND slot.id = planned.slot
       AND (:booked = 'cut' OR planned.capacity >= slot.capacity - slot.remaining
                               AND (slot.remaining = slot.capacity OR planned.ends_at = slot.ends_at))
    RETURNING planned.n, slot.capacity
), left_alone AS (
    UPDATE planned SET act = CASE :booked WHEN 'leave' THEN 'left' ELSE 'booked' END
     WHERE n > :after AND n <= :upto AND act IN ('change', 'cut') AND NOT EXISTS (SELECT FROM changed WHERE changed.n = planned.n)
    RETURNING n
)
SELECT (SELECT count(*) FROM changed) AS changed, (SELECT count(*) FROM left_alone) AS left_alone,
       (SELECT coalesce(sum(changed.capacity - planned.had), 0)::bigint FROM changed JOIN planned USING (n)) AS places;

-- name: add_slots^
-- New slots, all places free. One that somebody else has made since the plan is left as it is.
WITH added AS (
    INSERT INTO slot (programme, site, starts_at, ends_at, product, capacity, remaining, template)
    SELECT :programme, site, starts_at, ends_at, product, capacity, capacity, template
      FROM planned
     WHERE n > :after AND n <= :upto AND act = 'add'
     ORDER BY n
    ON CONFLICT ON CONSTRAINT slot_once DO NOTHING
    RETURNING capacity
)
SELECT count(*) AS added, coalesce(sum(capacity), 0)::bigint AS places FROM added;

-- name: begin_import!
INSERT INTO supply_import (id, kind, programme, actor, booked, sources, started_at, counts)
VALUES (:id, :kind, :programme, :actor, :booked, :sources, :now, :counts);

-- name: finish_import!
UPDATE supply_import SET finished_at = :now, counts = :counts WHERE id = :id;

-- name: add_audit!
-- What was brought, by the digests of the files; no names.
INSERT INTO audit_event (at, kind, programme, actor, about, details)
VALUES (:now, :kind, :programme, 'operator', :about, :details);

-- name: refresh_statistics#
ANALYZE site, slot;
