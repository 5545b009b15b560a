-- migrate:up

ALTER TABLE programme
    ADD COLUMN waitlist       boolean NOT NULL DEFAULT false,  -- whether one can wait for a place to become free
    ADD COLUMN waitlist_lasts interval NOT NULL DEFAULT '30 minutes' CHECK (waitlist_lasts > '0');  -- to take one

-- Somebody who waits for a place to become free: at a site, or around a point. The entry is the proof that they came through
-- the waiting room: a place is booked with the admission that they joined with, however long ago, and only once.
--   waiting | offered (a place is held, until `until`) | booked | left (by themselves, or booked otherwise)
--   over (the last day they wished for has passed, or three places were not taken)
CREATE TABLE waitlist_entry (
    id            uuid PRIMARY KEY,
    programme     text NOT NULL REFERENCES programme,
    person        bytea NOT NULL CHECK (octet_length(person) = 32),
    admission     text NOT NULL,
    products      text[] NOT NULL,
    dose          smallint NOT NULL,
    site          bigint REFERENCES site,
    lat           double precision,
    lng           double precision,
    radius_km     double precision,
    starts_from   timestamptz NOT NULL,
    starts_before timestamptz NOT NULL,
    state         text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'offered', 'booked', 'left', 'over')),
    hold          uuid,
    offered       bigint,
    until         timestamptz,
    passed        bigint[] NOT NULL DEFAULT '{}',  -- slots that were offered and not taken
    version       integer NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL,
    changed_at    timestamptz NOT NULL,
    CONSTRAINT waitlist_wish CHECK (
        (site IS NULL) = (lat IS NOT NULL) AND (lat IS NULL) = (lng IS NULL) AND (lat IS NULL) = (radius_km IS NULL)),
    CONSTRAINT waitlist_is_held CHECK ((state = 'offered') = (hold IS NOT NULL))
);
CREATE UNIQUE INDEX waitlist_one_open ON waitlist_entry (programme, person) WHERE state IN ('waiting', 'offered');
CREATE INDEX waitlist_open ON waitlist_entry (programme, created_at, id) WHERE state IN ('waiting', 'offered');
-- Where they would come: the site they wish for, or the nearest 200 in their radius. While they wait only, so that a free
-- place leads to who wants it, and one that nobody wants costs nothing, however many wait.
CREATE TABLE waitlist_site (
    entry uuid NOT NULL REFERENCES waitlist_entry,
    site  bigint NOT NULL REFERENCES site,
    PRIMARY KEY (site, entry)
);
CREATE INDEX waitlist_site_of_entry ON waitlist_site (entry);
CREATE INDEX waitlist_of_person ON waitlist_entry (person, created_at);

-- What people are told that is about no appointment: an offer of the waitlist, and its end.
ALTER TABLE outbox
    ALTER COLUMN appointment DROP NOT NULL,
    ADD COLUMN waitlist_entry uuid REFERENCES waitlist_entry,
    ADD CONSTRAINT outbox_about_one CHECK (num_nonnulls(appointment, waitlist_entry) = 1),
    ADD CONSTRAINT outbox_waitlist_once UNIQUE (waitlist_entry, appointment_version, kind);

-- Joins the waitlist of a programme, under a decision that grants something now.
-- outcome: joined | no_waitlist | decision_unknown | decision_expired | not_eligible | site_unknown | admission_used |
--          already_booked | already_waiting
CREATE FUNCTION join_waitlist(
    p_entry uuid, p_programme text, p_person bytea, p_admission text, p_decision uuid, p_site bigint, p_lat double precision,
    p_lng double precision, p_radius_km double precision, p_from timestamptz, p_before timestamptz, p_now timestamptz,
    OUT outcome text
) LANGUAGE plpgsql AS $$
DECLARE
    granted decision;
BEGIN
    SELECT * INTO granted FROM decision d
     WHERE d.ref = p_decision AND d.person = p_person AND d.programme = p_programme;
    outcome := CASE
        WHEN NOT EXISTS (SELECT FROM programme p WHERE p.id = p_programme AND p.waitlist) THEN 'no_waitlist'
        WHEN granted.ref IS NULL THEN 'decision_unknown'
        WHEN granted.expires_at <= p_now THEN 'decision_expired'
        WHEN granted.outcome <> 'eligible' THEN 'not_eligible'
        WHEN p_site IS NOT NULL AND NOT EXISTS (SELECT FROM site WHERE id = p_site) THEN 'site_unknown'
        WHEN EXISTS (SELECT FROM appointment a WHERE a.admission = p_admission) THEN 'admission_used'
        WHEN EXISTS (SELECT FROM appointment a
                      WHERE a.programme = p_programme AND a.person = p_person AND a.dose = granted.dose
                        AND a.status IN ('held', 'confirmed', 'checked_in')) THEN 'already_booked'
    END;
    IF outcome IS NULL THEN
        INSERT INTO waitlist_entry (id, programme, person, admission, products, dose, site, lat, lng, radius_km, starts_from,
                                    starts_before, created_at, changed_at)
        VALUES (p_entry, p_programme, p_person, p_admission, granted.products, granted.dose, p_site, p_lat, p_lng,
                p_radius_km, p_from, p_before, p_now, p_now)
        ON CONFLICT (programme, person) WHERE state IN ('waiting', 'offered') DO NOTHING;
        IF NOT FOUND THEN
            outcome := 'already_waiting';
            RETURN;
        END IF;
        INSERT INTO waitlist_site (entry, site)
        SELECT p_entry, p_site WHERE p_site IS NOT NULL
        UNION ALL
        (SELECT p_entry, site.id FROM site
          WHERE p_site IS NULL
            AND ll_to_earth(site.lat, site.lng) <@ earth_box(ll_to_earth(p_lat, p_lng), p_radius_km * 1000)
            AND earth_distance(ll_to_earth(site.lat, site.lng), ll_to_earth(p_lat, p_lng)) <= p_radius_km * 1000
          ORDER BY earth_distance(ll_to_earth(site.lat, site.lng), ll_to_earth(p_lat, p_lng)), site.id
          LIMIT 200);
        outcome := 'joined';
    END IF;
END
$$;

-- Whether somebody who waits wishes for a slot of a site where they would come.
CREATE FUNCTION is_wished(p_entry waitlist_entry, p_slot slot) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT p_entry.state = 'waiting' AND p_entry.programme = p_slot.programme AND p_slot.product = ANY (p_entry.products)
       AND p_slot.starts_at >= p_entry.starts_from AND p_slot.starts_at < p_entry.starts_before
       AND p_slot.id <> ALL (p_entry.passed)
$$;

-- Holds a free place for somebody who waits, and tells them; false where the place is gone or they wait no longer, or where
-- the programme is frozen.
CREATE FUNCTION offer_entry(p_entry uuid, p_slot bigint, p_hold uuid, p_now timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    entry record;
    answer_by timestamptz;
    told integer;
BEGIN
    SELECT e.person, e.programme, p.waitlist_lasts, s.starts_at INTO entry
      FROM waitlist_entry e
      JOIN programme p ON p.id = e.programme AND p.frozen_since IS NULL
      JOIN slot s ON s.id = p_slot
     WHERE e.id = p_entry AND e.state = 'waiting' FOR UPDATE OF e SKIP LOCKED;
    IF NOT FOUND OR NOT take_place(p_slot, entry.person, p_now) THEN
        RETURN false;
    END IF;
    answer_by := least(p_now + entry.waitlist_lasts, entry.starts_at);
    INSERT INTO hold (id, programme, person, slot, kind, created_at, expires_at)
    VALUES (p_hold, entry.programme, entry.person, p_slot, 'offered', p_now, answer_by + interval '1 minute');
    UPDATE waitlist_entry
       SET state = 'offered', hold = p_hold, offered = p_slot, until = answer_by, version = version + 1, changed_at = p_now
     WHERE id = p_entry
    RETURNING version INTO told;
    INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
    VALUES (p_now, 'place_offered', entry.programme, 'worker', entry.person, p_entry, json_build_object('slot', p_slot));
    INSERT INTO outbox (kind, waitlist_entry, appointment_version, created_at)
    VALUES ('place_offered', p_entry, told, p_now);
    RETURN true;
END
$$;

-- Ends an entry, or its offer, where that is due: it was booked, it was not taken in time, its days are over.
-- Returns what it is now; null where nothing is due or somebody else is at it.
CREATE FUNCTION settle_entry(p_entry uuid, p_leave boolean, p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    entry waitlist_entry;
    is_lost boolean;    -- what was held for them is gone
    is_missed boolean;  -- and it is theirs
    becomes text;
BEGIN
    SELECT * INTO entry FROM waitlist_entry e
     WHERE e.id = p_entry AND e.state IN ('waiting', 'offered') FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    is_missed := entry.state = 'offered' AND entry.until <= p_now;
    is_lost := entry.state = 'offered' AND NOT EXISTS (SELECT FROM hold h WHERE h.id = entry.hold);
    becomes := CASE
        WHEN EXISTS (SELECT FROM appointment a WHERE a.admission = entry.admission) THEN 'booked'
        WHEN p_leave OR EXISTS (SELECT FROM appointment a
                                 WHERE a.programme = entry.programme AND a.person = entry.person AND a.dose = entry.dose
                                   AND a.status IN ('held', 'confirmed', 'checked_in')) THEN 'left'
        WHEN is_missed AND cardinality(entry.passed) >= 2 OR entry.state = 'waiting' AND entry.starts_before <= p_now
            THEN 'over'
        WHEN is_missed OR is_lost THEN 'waiting'
    END;
    IF becomes IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM FROM slot s JOIN hold h ON h.slot = s.id WHERE h.id = entry.hold FOR NO KEY UPDATE OF s;
    PERFORM unhold(entry.hold);
    UPDATE waitlist_entry
       SET state = becomes, hold = NULL, version = version + 1, changed_at = p_now,
           passed = CASE WHEN is_missed THEN passed || offered ELSE passed END
     WHERE id = p_entry;
    IF becomes <> 'waiting' THEN
        DELETE FROM waitlist_site w WHERE w.entry = p_entry;
    END IF;
    IF becomes IN ('over', 'waiting') THEN
        INSERT INTO outbox (kind, waitlist_entry, appointment_version, created_at)
        VALUES (CASE becomes WHEN 'over' THEN 'waitlist_over' ELSE 'place_missed' END, p_entry, entry.version + 1, p_now);
    END IF;
    RETURN becomes;
END
$$;

-- migrate:down
DROP FUNCTION settle_entry, offer_entry, is_wished, join_waitlist;
DELETE FROM outbox WHERE waitlist_entry IS NOT NULL;
ALTER TABLE outbox
    DROP COLUMN waitlist_entry,
    ALTER COLUMN appointment SET NOT NULL;
WITH given_up AS (DELETE FROM hold WHERE id IN (SELECT hold FROM waitlist_entry) RETURNING slot)
UPDATE slot SET remaining = remaining + freed.places
  FROM (SELECT slot, count(*) AS places FROM given_up GROUP BY slot) freed
 WHERE freed.slot = slot.id;
DROP TABLE waitlist_site, waitlist_entry;
ALTER TABLE programme DROP COLUMN waitlist, DROP COLUMN waitlist_lasts;
