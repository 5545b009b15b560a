-- migrate:up

-- Whether anything refers to a slot, of whatever status: asked of every slot before it goes, here and by the foreign keys.
DROP INDEX appointment_of_slot;
CREATE INDEX appointment_of_slot ON appointment (slot);
CREATE INDEX displaced_of_slot ON displaced (slot);
CREATE INDEX displaced_offered ON displaced (offered) WHERE offered IS NOT NULL;

-- Slots that were over long ago and that nobody had booked. By region, so that each can be kept for as long as its own law
-- says, and in it by month (UTC), so that old ones are taken out without touching a row. No foreign keys, and codes beside
-- ids: a partition that was taken out can be read alone.
CREATE TABLE slot_archive (
    id           bigint NOT NULL,
    programme    text NOT NULL,
    region       text NOT NULL,       -- of the site, when the slot was archived
    site         bigint NOT NULL,
    site_code    text NOT NULL,
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    product      text NOT NULL,
    capacity     integer NOT NULL,    -- and so many places remained
    clinic       text,                -- the code of the template that made it; null, a person did
    cancellation uuid,                -- by its site
    archived_at  timestamptz NOT NULL,
    PRIMARY KEY (region, starts_at, id)
) PARTITION BY LIST (region);
CREATE INDEX slot_archive_of_site ON slot_archive (site, starts_at);

-- Slots of which all places are free and to which nothing refers: no appointment, not even a cancelled one, no hold, no
-- offer. One that does not add up is not among them: it stays for people to judge.
CREATE VIEW slot_untouched AS
SELECT s.* FROM slot s
 WHERE s.remaining = s.capacity
   AND NOT EXISTS (SELECT FROM appointment a WHERE a.slot = s.id)
   AND NOT EXISTS (SELECT FROM hold h WHERE h.slot = s.id)
   AND NOT EXISTS (SELECT FROM displaced d WHERE d.slot = s.id)
   AND NOT EXISTS (SELECT FROM displaced d WHERE d.offered = s.id);

-- All slots, those in the archive too: what reports read. One statement sees each slot once, and so do all statements of a
-- REPEATABLE READ transaction.
CREATE VIEW every_slot AS
SELECT s.id, s.programme, site.region, s.site, site.code AS site_code, s.starts_at, s.ends_at, s.product, s.capacity,
       s.remaining, t.code AS clinic, s.cancellation, NULL::timestamptz AS archived_at
  FROM slot s JOIN site ON site.id = s.site LEFT JOIN clinic_template t ON t.id = s.template
 UNION ALL
SELECT id, programme, region, site, site_code, starts_at, ends_at, product, capacity, capacity, clinic, cancellation,
       archived_at
  FROM slot_archive;

-- Makes the partition of a region and a month where there is none; says whether it did. It is made apart and then attached,
-- so that no reader of the archive is waited for. A partition is called  slot_archive_2026_05_es_md,  a region
-- slot_archive_region_es_md;  a region with other letters than these, or a long name, by its digest.
CREATE FUNCTION make_slot_partition(p_region text, p_month timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    code text := CASE WHEN p_region ~ '^[A-Z0-9-]{1,30}$' THEN lower(replace(p_region, '-', '_')) ELSE md5(p_region) END;
    of_region text := 'slot_archive_region_' || code;
    of_month text := 'slot_archive_' || to_char(p_month AT TIME ZONE 'UTC', 'YYYY_MM_') || code;
BEGIN
    IF to_regclass(of_region) IS NULL THEN
        EXECUTE format('CREATE TABLE %I (LIKE slot_archive INCLUDING ALL) PARTITION BY RANGE (starts_at)', of_region);
        EXECUTE format('ALTER TABLE slot_archive ATTACH PARTITION %I FOR VALUES IN (%L)', of_region, p_region);
    END IF;
    IF to_regclass(of_month) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE slot_archive INCLUDING ALL)', of_month);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', of_region, of_month, p_month,
                   (p_month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
    RETURN true;
END
$$;

-- Looks at so many slots behind one of them, in their order, and moves those that were over before a moment and are
-- untouched into the archive. What somebody has locked is left for the next time; nobody else locks what is over and
-- untouched, so nobody waits for this either. Where partitions are missing it only makes some of them: a statement that was
-- planned before they were there must not find that slots have gone into them already.
-- last: the last slot looked at; p_after, partitions were made; null, there are none behind. is_busy: somebody else archives.
CREATE FUNCTION archive_slots(
    p_before timestamptz, p_after bigint, p_at_most integer, p_now timestamptz,
    OUT archived integer, OUT last bigint, OUT is_busy boolean
) LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
    needed record;
    made integer := 0;
BEGIN
    archived := 0;
    is_busy := NOT pg_try_advisory_xact_lock(hashtext('slot archive'), 0);
    IF is_busy THEN
        RETURN;
    END IF;
    SELECT max(looked_at.id) INTO last
      FROM (SELECT s.id FROM slot s WHERE s.id > p_after ORDER BY s.id LIMIT p_at_most) looked_at;
    ids := ARRAY(SELECT u.id FROM slot_untouched u
                  WHERE u.id > p_after AND u.id <= last AND u.ends_at < p_before
                  ORDER BY u.id FOR UPDATE OF u SKIP LOCKED);
    FOR needed IN
        SELECT DISTINCT site.region, date_trunc('month', s.starts_at, 'UTC') AS month
          FROM slot s JOIN site ON site.id = s.site WHERE s.id = ANY (ids)
    LOOP
        made := made + make_slot_partition(needed.region, needed.month)::integer;
        EXIT WHEN made = 50;  -- each takes a few ms and half a dozen locks
    END LOOP;
    IF made > 0 THEN
        last := p_after;
        RETURN;
    END IF;
    -- A new look, under the locks: whoever came before them is seen now, and nobody comes after.
    WITH gone AS (DELETE FROM slot_untouched u WHERE u.id = ANY (ids) RETURNING u.*)
    INSERT INTO slot_archive (id, programme, region, site, site_code, starts_at, ends_at, product, capacity, clinic,
                              cancellation, archived_at)
    SELECT g.id, g.programme, site.region, g.site, site.code, g.starts_at, g.ends_at, g.product, g.capacity, t.code,
           g.cancellation, p_now
      FROM gone g JOIN site ON site.id = g.site LEFT JOIN clinic_template t ON t.id = g.template;
    GET DIAGNOSTICS archived = ROW_COUNT;
END
$$;

-- The archive's partitions, and those that were taken out and are still here; how many slots are in each, and its size.
CREATE FUNCTION slot_partitions()
RETURNS TABLE (name text, region text, month date, is_attached boolean, slots bigint, bytes bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    FOR name, is_attached, bytes IN
        SELECT c.relname, c.relispartition, pg_total_relation_size(c.oid)
          FROM pg_class c
         WHERE c.relkind = 'r' AND c.relname ~ '^slot_(archive|detached)_\d{4}_\d\d_' AND pg_table_is_visible(c.oid)
         ORDER BY c.relname
    LOOP
        month := to_date(substring(name FROM '\d{4}_\d\d'), 'YYYY_MM');
        EXECUTE format('SELECT min(region), count(*) FROM %I', name) INTO region, slots;
        RETURN NEXT;
    END LOOP;
END
$$;

-- Takes a partition out of the archive: it stays as a table, which is called  slot_detached_…  from then on, and with a
-- number where one of that name is still here. No row is read or written. Returns the new name; null, it is no partition
-- (any more). Waits for whoever reads the region's archive, two seconds at most.
CREATE FUNCTION detach_slots(p_partition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    of_region regclass;
    base text := replace(p_partition, 'slot_archive_', 'slot_detached_');
    becomes text := base;
    number integer := 1;
BEGIN
    PERFORM set_config('lock_timeout', '2000', true);
    PERFORM pg_advisory_xact_lock(hashtext('slot archive'), 0);
    SELECT tree.parentrelid INTO of_region FROM pg_partition_tree('slot_archive') tree
     WHERE tree.isleaf AND tree.relid = to_regclass(p_partition);
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    WHILE to_regclass(becomes) IS NOT NULL LOOP
        number := number + 1;
        becomes := base || '_' || number;
    END LOOP;
    EXECUTE format('ALTER TABLE %s DETACH PARTITION %I', of_region, p_partition);
    EXECUTE format('ALTER TABLE %I RENAME TO %I', p_partition, becomes);
    RETURN becomes;
END
$$;

-- migrate:down
-- What is in the archive comes back; what was taken out of it stays where it is.
INSERT INTO slot (id, programme, site, starts_at, ends_at, product, capacity, remaining, template, cancellation)
SELECT a.id, a.programme, a.site, a.starts_at, a.ends_at, a.product, a.capacity, a.capacity, t.id, a.cancellation
  FROM slot_archive a LEFT JOIN clinic_template t ON t.programme = a.programme AND t.code = a.clinic;
DROP FUNCTION detach_slots, slot_partitions, archive_slots, make_slot_partition;
DROP VIEW every_slot, slot_untouched;
DROP TABLE slot_archive;
DROP INDEX displaced_offered, displaced_of_slot, appointment_of_slot;
CREATE INDEX appointment_of_slot ON appointment (slot) WHERE status <> 'cancelled';
