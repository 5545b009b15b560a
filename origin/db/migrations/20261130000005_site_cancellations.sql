-- migrate:up

-- Policies of a programme, for people whose slot is cancelled by its site ---------------------------------------------------

ALTER TABLE programme
    ADD COLUMN offer_lasts     interval NOT NULL DEFAULT '48 hours' CHECK (offer_lasts > '0'),  -- to answer an offer
    ADD COLUMN offer_lead      interval NOT NULL DEFAULT '2 hours' CHECK (offer_lead >= '0'),   -- from then to the time offered
    ADD COLUMN offer_radius_km integer NOT NULL DEFAULT 50 CHECK (offer_radius_km > 0),
    ADD COLUMN offer_days      integer NOT NULL DEFAULT 14 CHECK (offer_days > 0),              -- before and after
    ADD COLUMN return_within   interval NOT NULL DEFAULT '30 days' CHECK (return_within >= '0');  -- see `may_return`

-- Slots that their site has cancelled ---------------------------------------------------------------------------------------

CREATE TABLE site_cancellation (
    id      uuid PRIMARY KEY,
    site    bigint NOT NULL REFERENCES site,
    first   timestamptz NOT NULL,       -- the first start that is cancelled
    last    timestamptz NOT NULL,       -- and the last one
    slots   integer NOT NULL CHECK (slots > 0),
    people  integer NOT NULL CHECK (people >= 0),
    reason  text NOT NULL,
    actor   text NOT NULL,
    at      timestamptz NOT NULL
);
CREATE INDEX site_cancellation_of_site ON site_cancellation (site, at);

-- Once set it stays: whatever frees a place there takes it out of the capacity, so that it is never bookable again.
ALTER TABLE slot ADD COLUMN cancellation uuid REFERENCES site_cancellation;
CREATE INDEX slot_cancelled ON slot (cancellation) WHERE cancellation IS NOT NULL;

CREATE FUNCTION keep_slot_cancelled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.capacity := NEW.capacity - NEW.remaining;
    NEW.remaining := 0;
    RETURN NEW;
END
$$;
CREATE TRIGGER slot_stays_cancelled BEFORE UPDATE ON slot FOR EACH ROW
    WHEN (NEW.cancellation IS NOT NULL AND NEW.remaining > 0) EXECUTE FUNCTION keep_slot_cancelled();

-- An appointment whose slot was cancelled, and what becomes of it.
--   waiting     for the worker to look for another time
--   offered     another time is held for it, until `until`
--   accepted    it was moved to the time offered
--   left        its person moved or cancelled it, or it is over
--   declined | lapsed | none_found   it was cancelled: by its person's wish, for want of an answer, or of another time
CREATE TABLE displaced (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    cancellation uuid NOT NULL REFERENCES site_cancellation,
    appointment  uuid NOT NULL,    -- no foreign key: it would lock the appointment behind its slot, against the order
    slot         bigint NOT NULL REFERENCES slot,
    starts_at    timestamptz NOT NULL,
    state        text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'offered', 'accepted', 'left', 'declined', 'lapsed', 'none_found')),
    hold         uuid,             -- keeps the place while it is offered
    offered      bigint,           -- the slot offered last
    until        timestamptz,      -- when that must be answered
    refused      bigint[] NOT NULL DEFAULT '{}',  -- slots in whose place another was asked for
    changed_at   timestamptz NOT NULL,
    CONSTRAINT displaced_is_held CHECK ((state = 'offered') = (hold IS NOT NULL) AND (hold IS NULL OR offered IS NOT NULL)),
    CONSTRAINT displaced_once UNIQUE (cancellation, appointment)
);
CREATE UNIQUE INDEX displaced_one_open ON displaced (appointment) WHERE state IN ('waiting', 'offered');
CREATE INDEX displaced_open ON displaced (starts_at, id) WHERE state IN ('waiting', 'offered');
CREATE INDEX displaced_of_appointment ON displaced (appointment);

-- Cancels slots of a site and puts everybody in them into `displaced`. When it commits, nothing can be booked there, also
-- not by who held a place. The caller undoes it where the number of people is not what was confirmed.
-- Locks the slots in their order, then their holds: who has taken a place before is waited for, and is among the people.
CREATE FUNCTION cancel_slots(
    p_cancellation uuid, p_site bigint, p_slot bigint, p_from timestamptz, p_before timestamptz, p_reason text,
    p_actor text, p_role text, p_person bytea, p_now timestamptz, OUT slots integer, OUT people integer
) LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    SELECT coalesce(array_agg(locked.id), '{}'), count(*) INTO ids, slots
      FROM (SELECT s.id FROM slot s
             WHERE s.site = p_site AND s.starts_at > p_now AND s.cancellation IS NULL
               AND CASE WHEN p_slot IS NULL THEN s.starts_at >= p_from AND s.starts_at < p_before ELSE s.id = p_slot END
             ORDER BY s.id FOR NO KEY UPDATE) locked;
    people := 0;
    IF slots = 0 THEN
        RETURN;
    END IF;
    INSERT INTO site_cancellation (id, site, first, last, slots, people, reason, actor, at)
    SELECT p_cancellation, p_site, min(s.starts_at), max(s.starts_at), count(*), 0, p_reason, p_actor, p_now
      FROM slot s WHERE s.id = ANY (ids);
    WITH freed AS (DELETE FROM hold WHERE hold.slot = ANY (ids) RETURNING hold.slot)
    UPDATE slot
       SET cancellation = p_cancellation, template = NULL,
           remaining = remaining + (SELECT count(*) FROM freed WHERE freed.slot = slot.id)
     WHERE id = ANY (ids);
    INSERT INTO displaced (cancellation, appointment, slot, starts_at, changed_at)
    SELECT p_cancellation, a.id, s.id, s.starts_at, p_now
      FROM appointment a JOIN slot s ON s.id = a.slot
     WHERE s.id = ANY (ids) AND a.status IN ('held', 'confirmed');
    GET DIAGNOSTICS people = ROW_COUNT;
    UPDATE site_cancellation c SET people = cancel_slots.people WHERE c.id = p_cancellation;
    INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
    SELECT p_now, 'slots_cancelled', s.programme, p_role, p_person, p_cancellation,
           json_build_object('site', p_site, 'slots', array_agg(s.id ORDER BY s.id))
      FROM slot s WHERE s.id = ANY (ids) GROUP BY s.programme;
END
$$;

-- Offers ----------------------------------------------------------------------------------------------------------------
-- Whoever locks several of them locks in this order: what is displaced, its appointment, slots in their order, holds.

-- Whether an appointment keeps the interval of its course in another slot, to the dose before it and to the one behind.
CREATE FUNCTION course_kept(p_appointment uuid, p_slot bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT NOT EXISTS (
        SELECT FROM appointment ours
          JOIN appointment other ON other.id = ours.follows OR other.follows = ours.id
         WHERE ours.id = p_appointment AND other.status <> 'cancelled'
           AND NOT CASE WHEN other.id = ours.follows
                        THEN interval_kept(ours.programme, other.dose, other.slot, p_slot)
                        ELSE interval_kept(ours.programme, ours.dose, p_slot, other.slot) END)
$$;

-- Free slots that an appointment could move to by the policy of its programme: the same product, near and close in time.
-- The best first: a radius further away counts as much as all the days later. Times begin late enough to be answered.
CREATE FUNCTION slots_nearby(p_appointment uuid, p_besides bigint[], p_now timestamptz)
RETURNS TABLE (slot bigint, starts_at timestamptz) LANGUAGE sql STABLE AS $$
    SELECT s.id, s.starts_at
      FROM (SELECT a.id, a.person, gone.programme, gone.product, gone.starts_at, there.lat, there.lng,
                   p.offer_radius_km * 1000.0 AS radius_m, make_interval(days => p.offer_days) AS days, p.offer_lead
              FROM appointment a
              JOIN slot gone ON gone.id = a.slot
              JOIN site there ON there.id = gone.site
              JOIN programme p ON p.id = a.programme
             WHERE a.id = p_appointment) want
     CROSS JOIN LATERAL (
            SELECT site.id, earth_distance(ll_to_earth(site.lat, site.lng), ll_to_earth(want.lat, want.lng)) AS distance_m
              FROM site
             WHERE ll_to_earth(site.lat, site.lng) <@ earth_box(ll_to_earth(want.lat, want.lng), want.radius_m)
               AND earth_distance(ll_to_earth(site.lat, site.lng), ll_to_earth(want.lat, want.lng)) <= want.radius_m
               AND NOT EXISTS (SELECT FROM region_freeze f WHERE f.programme = want.programme AND f.region = site.region)
             ORDER BY distance_m, site.id
             LIMIT 40
           ) near
     CROSS JOIN LATERAL (
            SELECT slot.id, slot.starts_at
              FROM slot
             WHERE slot.site = near.id
               AND slot.starts_at > greatest(p_now + 2 * want.offer_lead, want.starts_at - want.days)
               AND slot.starts_at < want.starts_at + want.days
               AND slot.programme = want.programme AND slot.product = want.product
               AND slot.remaining > 0
               AND slot.id <> ALL (p_besides)
               AND NOT EXISTS (SELECT FROM hold h WHERE h.person = want.person AND h.slot = slot.id)
               AND course_kept(want.id, slot.id)
             ORDER BY abs(extract(epoch FROM slot.starts_at - want.starts_at)), slot.id
             LIMIT 5
           ) s
     ORDER BY near.distance_m / want.radius_m
              + abs(extract(epoch FROM s.starts_at - want.starts_at)) / extract(epoch FROM want.days), s.id
     LIMIT 10
$$;

-- Gives the held place of something displaced back; the caller has locked the slots.
CREATE FUNCTION unhold(p_hold uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    freed bigint;
BEGIN
    DELETE FROM hold WHERE id = p_hold RETURNING hold.slot INTO freed;
    UPDATE slot SET remaining = remaining + 1 WHERE id = freed;
END
$$;

-- Holds another time for something displaced that its caller has locked, and tells; false where there is none.
-- p_hold: the id of the hold. p_at_latest: when it must be answered whatever the policy says; null, by the policy.
-- A hold outlives its offer by a minute, so that no clock that is ahead takes the place from who answers in time.
CREATE FUNCTION offer_place(p_displaced uuid, p_hold uuid, p_at_latest timestamptz, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    case_ record;
    near record;
    answer_by timestamptz;
    told integer;
BEGIN
    SELECT d.appointment, d.refused, d.hold, d.cancellation, a.person, a.programme, p.offer_lasts, p.offer_lead INTO case_
      FROM displaced d
      JOIN appointment a ON a.id = d.appointment
      JOIN programme p ON p.id = a.programme
     WHERE d.id = p_displaced;
    FOR near IN SELECT n.slot, n.starts_at FROM slots_nearby(case_.appointment, case_.refused, p_now) n LOOP
        CONTINUE WHEN NOT take_place(near.slot, case_.person, p_now);
        UPDATE hold SET expires_at = p_now WHERE id = case_.hold;  -- to be swept: a second slot is not locked against the order
        answer_by := least(p_now + case_.offer_lasts, near.starts_at - case_.offer_lead, p_at_latest);
        INSERT INTO hold (id, programme, person, slot, kind, created_at, expires_at)
        VALUES (p_hold, case_.programme, case_.person, near.slot, 'offered', p_now, answer_by + interval '1 minute');
        UPDATE displaced SET state = 'offered', hold = p_hold, offered = near.slot, until = answer_by, changed_at = p_now
         WHERE id = p_displaced;
        UPDATE appointment SET version = version + 1, changed_at = p_now WHERE id = case_.appointment
        RETURNING version INTO told;
        INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
        VALUES (p_now, 'offered', case_.programme, 'worker', case_.person, case_.appointment,
                json_build_object('slot', near.slot, 'cancellation', case_.cancellation));
        INSERT INTO outbox (kind, appointment, appointment_version, created_at)
        VALUES ('offered', case_.appointment, told, p_now);
        RETURN true;
    END LOOP;
    RETURN false;
END
$$;

-- Ends something displaced that its caller has locked: the appointment and the dose that follows it are cancelled.
CREATE FUNCTION end_displaced(p_displaced uuid, p_state text, p_now timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    case_ displaced;
BEGIN
    SELECT * INTO case_ FROM displaced WHERE id = p_displaced;
    PERFORM FROM slot s
     WHERE s.id = ANY (ARRAY(
           SELECT h.slot FROM hold h WHERE h.id = case_.hold
            UNION ALL
           SELECT a.slot FROM appointment a WHERE a.id = case_.appointment
            UNION ALL
           SELECT a.slot FROM appointment a WHERE a.follows = case_.appointment AND a.status IN ('held', 'confirmed')))
     ORDER BY s.id FOR NO KEY UPDATE;
    PERFORM unhold(case_.hold);
    PERFORM cancel_appointment(each.id, 'site', p_now)
       FROM (SELECT a.id FROM appointment a
              WHERE a.id = case_.appointment OR a.follows = case_.appointment AND a.status IN ('held', 'confirmed')
              ORDER BY a.slot, a.id) each;
    UPDATE displaced SET state = p_state, hold = NULL, changed_at = p_now WHERE id = p_displaced;
END
$$;

-- Does what is due for something displaced, in one transaction, once: look for a place and hold it, end what was not
-- answered, notice what its person has done. Returns what it is now; null where nothing is due or somebody else is at it.
-- While a programme is frozen nobody could accept: then nothing is offered, and nothing lapses.
CREATE FUNCTION advance_displaced(p_displaced uuid, p_hold uuid, p_now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    case_ displaced;
    ours record;
    frozen boolean;
BEGIN
    SELECT * INTO case_ FROM displaced d
     WHERE d.id = p_displaced AND d.state IN ('waiting', 'offered') FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT a.status, a.slot, a.programme INTO ours FROM appointment a WHERE a.id = case_.appointment FOR UPDATE;
    IF ours.status NOT IN ('held', 'confirmed') OR ours.slot <> case_.slot THEN
        PERFORM FROM slot s JOIN hold h ON h.slot = s.id WHERE h.id = case_.hold FOR NO KEY UPDATE OF s;
        PERFORM unhold(case_.hold);
        UPDATE displaced
           SET state = CASE WHEN ours.status = 'confirmed' AND ours.slot = case_.offered THEN 'accepted' ELSE 'left' END,
               hold = NULL, changed_at = p_now
         WHERE id = p_displaced
        RETURNING state INTO case_.state;
        RETURN case_.state;
    END IF;
    SELECT p.frozen_since IS NOT NULL INTO frozen FROM programme p WHERE p.id = ours.programme;
    IF case_.state = 'offered' THEN
        IF case_.until <= p_now AND NOT frozen THEN
            PERFORM end_displaced(p_displaced, 'lapsed', p_now);
            RETURN 'lapsed';
        END IF;
        IF case_.until > p_now AND EXISTS (SELECT FROM hold h WHERE h.id = case_.hold) THEN
            RETURN NULL;
        END IF;
        -- The place is gone, for its slot was cancelled too; or nobody could answer in time.
        PERFORM FROM slot s JOIN hold h ON h.slot = s.id WHERE h.id = case_.hold FOR NO KEY UPDATE OF s;
        PERFORM unhold(case_.hold);
        UPDATE displaced SET state = 'waiting', hold = NULL, changed_at = p_now WHERE id = p_displaced;
    END IF;
    IF frozen THEN
        RETURN nullif(case_.state, 'waiting');
    END IF;
    IF offer_place(p_displaced, p_hold, NULL, p_now) THEN
        RETURN 'offered';
    END IF;
    PERFORM end_displaced(p_displaced, 'none_found', p_now);
    RETURN 'none_found';
END
$$;

-- Locks what is displaced of a person's, or of who booked for them, and its appointment, and says whether its offer can be
-- answered. outcome: null (it can) | unknown | accepted (already) | offer_over | offer_changed (another slot is offered)
CREATE FUNCTION lock_offer(
    p_person bytea, p_displaced uuid, p_slot bigint, p_now timestamptz, OUT outcome text, OUT appointment uuid,
    OUT until timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    case_ displaced;
    ours record;
BEGIN
    SELECT d.* INTO case_ FROM displaced d JOIN appointment a ON a.id = d.appointment
     WHERE d.id = p_displaced AND p_person IN (a.person, a.booked_by) FOR UPDATE OF d;
    SELECT a.status, a.slot INTO ours FROM appointment a WHERE a.id = case_.appointment FOR UPDATE;
    appointment := case_.appointment;
    until := case_.until;
    outcome := CASE
        WHEN case_.id IS NULL THEN 'unknown'
        WHEN case_.state = 'accepted' AND case_.offered = p_slot THEN 'accepted'
        WHEN case_.state <> 'offered' OR case_.until <= p_now OR ours.status <> 'confirmed' OR ours.slot <> case_.slot
            THEN 'offer_over'
        WHEN case_.offered <> p_slot THEN 'offer_changed'
    END;
END
$$;

-- Moves an appointment to the slot that was offered for it, once. It is not counted among its person's own moves, and no
-- deadline of the old slot matters. outcome: accepted | slot_gone (another one is looked for) | frozen | as of `lock_offer`
CREATE FUNCTION accept_offer(
    p_person bytea, p_displaced uuid, p_slot bigint, p_now timestamptz, OUT outcome text, OUT appointment uuid
) LANGUAGE plpgsql AS $$
DECLARE
    ours record;
    told integer;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtext('programme'), hashtext(a.programme))  -- before all else, as in every change
       FROM displaced d JOIN appointment a ON a.id = d.appointment WHERE d.id = p_displaced;
    SELECT l.outcome, l.appointment INTO outcome, appointment FROM lock_offer(p_person, p_displaced, p_slot, p_now) l;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT a.person, a.programme, a.slot INTO ours FROM appointment a WHERE a.id = accept_offer.appointment;
    IF EXISTS (SELECT FROM programme p WHERE p.id = ours.programme AND p.frozen_since IS NOT NULL)
       OR EXISTS (SELECT FROM region_freeze f JOIN site ON site.region = f.region JOIN slot s ON s.site = site.id
                   WHERE f.programme = ours.programme AND s.id = p_slot) THEN
        outcome := 'frozen';
        RETURN;
    END IF;
    PERFORM FROM slot s WHERE s.id IN (ours.slot, p_slot) ORDER BY s.id FOR NO KEY UPDATE;
    IF NOT course_kept(appointment, p_slot) OR NOT take_place(p_slot, ours.person, p_now) THEN
        PERFORM unhold(d.hold) FROM displaced d WHERE d.id = p_displaced;
        UPDATE displaced SET state = 'waiting', hold = NULL, refused = refused || p_slot, changed_at = p_now
         WHERE id = p_displaced;
        outcome := 'slot_gone';
        RETURN;
    END IF;
    UPDATE slot SET remaining = remaining + 1 WHERE id = ours.slot;  -- cancelled: it leaves the capacity
    UPDATE appointment a SET slot = p_slot, version = version + 1, changed_at = p_now WHERE a.id = accept_offer.appointment
    RETURNING version INTO told;
    UPDATE displaced SET state = 'accepted', hold = NULL, changed_at = p_now WHERE id = p_displaced;
    INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
    VALUES (p_now, 'moved', ours.programme, 'visitor', ours.person, appointment,
            json_build_object('from', ours.slot, 'to', p_slot, 'offer', p_displaced));
    INSERT INTO outbox (kind, appointment, appointment_version, created_at) VALUES ('moved', appointment, told, p_now);
    outcome := 'accepted';
END
$$;

-- Offers another time in place of a slot; what is offered stays until there is one, and the moment to answer by with it.
-- outcome: offered | no_other_time | as of `lock_offer`
CREATE FUNCTION ask_another(
    p_person bytea, p_displaced uuid, p_slot bigint, p_hold uuid, p_now timestamptz, OUT outcome text
) LANGUAGE plpgsql AS $$
DECLARE
    latest timestamptz;
BEGIN
    SELECT l.outcome, l.until INTO outcome, latest FROM lock_offer(p_person, p_displaced, p_slot, p_now) l;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    UPDATE displaced SET refused = refused || p_slot WHERE id = p_displaced;
    outcome := CASE WHEN offer_place(p_displaced, p_hold, latest, p_now) THEN 'offered' ELSE 'no_other_time' END;
    IF outcome = 'no_other_time' THEN
        UPDATE displaced SET refused = array_remove(refused, p_slot) WHERE id = p_displaced;
    END IF;
END
$$;

-- Cancels an appointment whose slot was cancelled, by its person's wish. outcome: declined | as of `lock_offer`
CREATE FUNCTION decline_offer(p_person bytea, p_displaced uuid, p_slot bigint, p_now timestamptz, OUT outcome text)
LANGUAGE plpgsql AS $$
BEGIN
    SELECT l.outcome INTO outcome FROM lock_offer(p_person, p_displaced, p_slot, p_now) l;
    IF outcome IS NULL THEN
        PERFORM end_displaced(p_displaced, 'declined', p_now);
        outcome := 'declined';
    END IF;
END
$$;

-- The way back: whose appointment ended so books again without the queue, once, for a while. The admission that stands for
-- it is made from the appointment, so that it is consumed like any other. Null, there is no way back.
CREATE FUNCTION may_return(p_person bytea, p_appointment uuid, p_now timestamptz, OUT admission text, OUT room text)
LANGUAGE sql STABLE AS $$
    SELECT 'site:' || a.id, p.room
      FROM appointment a
      JOIN displaced d ON d.appointment = a.id AND d.state IN ('declined', 'lapsed', 'none_found')
      JOIN programme p ON p.id = a.programme
     WHERE a.id = p_appointment AND p_person IN (a.person, a.booked_by)
       AND a.status = 'cancelled' AND a.cancelled_by = 'site' AND d.changed_at > p_now - p.return_within
       AND NOT EXISTS (SELECT FROM appointment used WHERE used.admission = 'site:' || a.id)
     LIMIT 1
$$;

-- At the site ---------------------------------------------------------------------------------------------------------------

-- Marks an appointment of a site as its staff see it, with the audit row. What was marked by mistake can be taken back, step
-- by step. outcome: marked | unchanged | unknown (also at other sites) | mark_refused | mark_early (before its day, or
-- before its time for a no-show)
CREATE FUNCTION mark_appointment(
    p_site bigint, p_appointment uuid, p_status text, p_role text, p_staff bytea, p_now timestamptz, OUT outcome text
) LANGUAGE plpgsql AS $$
DECLARE
    ours record;
BEGIN
    PERFORM FROM appointment a WHERE a.id = p_appointment FOR UPDATE;  -- then it is read: it may have been moved meanwhile
    SELECT a.status, a.programme, s.starts_at, site.time_zone INTO ours
      FROM appointment a JOIN slot s ON s.id = a.slot JOIN site ON site.id = s.site
     WHERE a.id = p_appointment AND site.id = p_site;
    outcome := CASE
        WHEN NOT FOUND THEN 'unknown'
        WHEN ours.status = p_status THEN 'unchanged'
        WHEN (ours.status, p_status) NOT IN (
            ('confirmed', 'checked_in'), ('checked_in', 'completed'), ('completed', 'checked_in'),
            ('checked_in', 'confirmed'), ('confirmed', 'no_show'), ('no_show', 'confirmed'), ('no_show', 'checked_in')
        ) THEN 'mark_refused'
        WHEN p_status = 'no_show' AND ours.starts_at > p_now THEN 'mark_early'
        WHEN (ours.starts_at AT TIME ZONE ours.time_zone)::date > (p_now AT TIME ZONE ours.time_zone)::date THEN 'mark_early'
        ELSE 'marked'
    END;
    IF outcome = 'marked' THEN
        UPDATE appointment SET status = p_status, version = version + 1, changed_at = p_now WHERE id = p_appointment;
        INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
        VALUES (p_now, 'marked', ours.programme, p_role, p_staff, p_appointment,
                json_build_object('from', ours.status, 'to', p_status));
    END IF;
END
$$;

-- Books a free place for somebody who came without admission, once per key of the staff member, with a second audit row
-- that says whose act it was. outcome as of `book`; slot_unknown also at other sites.
CREATE FUNCTION book_walk_in(
    p_site bigint, p_staff bytea, p_role text, p_key text, p_fingerprint bytea, p_person bytea, p_slot bigint,
    p_decision uuid, p_appointment uuid, p_now timestamptz, OUT outcome text, OUT answer text
) LANGUAGE plpgsql AS $$
DECLARE
    its_programme text;
BEGIN
    SELECT k.outcome, k.answer INTO outcome, answer FROM known_answer(p_staff, p_key, p_fingerprint) k;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT s.programme INTO its_programme FROM slot s WHERE s.id = p_slot AND s.site = p_site;
    IF NOT FOUND THEN
        outcome := 'slot_unknown';
        RETURN;
    END IF;
    SELECT b.outcome, b.answer INTO outcome, answer
      FROM book_part(p_person, its_programme, p_slot, p_decision, 'walk-in:' || p_appointment, 1::smallint, NULL, NULL,
                     p_appointment, p_now) b;
    IF outcome = 'booked' THEN
        INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
        VALUES (p_now, 'walked_in', its_programme, p_role, p_staff, p_appointment, json_build_object('slot', p_slot));
        INSERT INTO idempotency (person, key, fingerprint, status, body, created_at)
        VALUES (p_staff, p_key, p_fingerprint, 201, answer, p_now);
    END IF;
END
$$;

-- migrate:down
DROP FUNCTION book_walk_in, mark_appointment;
DROP FUNCTION may_return, decline_offer, ask_another, accept_offer, lock_offer, advance_displaced, end_displaced, offer_place,
    unhold, slots_nearby, course_kept, cancel_slots;
WITH given_up AS (DELETE FROM hold WHERE id IN (SELECT hold FROM displaced) RETURNING slot)
UPDATE slot SET remaining = remaining + freed.places
  FROM (SELECT slot, count(*) AS places FROM given_up GROUP BY slot) freed
 WHERE freed.slot = slot.id;
DELETE FROM outbox WHERE kind = 'offered';
DROP TABLE displaced;
DROP TRIGGER slot_stays_cancelled ON slot;
DROP FUNCTION keep_slot_cancelled;
ALTER TABLE slot DROP COLUMN cancellation;
DROP TABLE site_cancellation;
ALTER TABLE programme
    DROP COLUMN offer_lasts, DROP COLUMN offer_lead, DROP COLUMN offer_radius_km, DROP COLUMN offer_days,
    DROP COLUMN return_within;
