-- migrate:up

-- A site that opens cancelled slots again, and why.
CREATE TABLE site_reopening (
    id      uuid PRIMARY KEY,
    site    bigint NOT NULL REFERENCES site,
    first   timestamptz NOT NULL,       -- the first start that is open again
    last    timestamptz NOT NULL,       -- and the last one
    slots   integer NOT NULL CHECK (slots > 0),
    places  integer NOT NULL CHECK (places >= 0),  -- that became free
    reason  text NOT NULL,
    actor   text NOT NULL,
    at      timestamptz NOT NULL
);
CREATE INDEX site_reopening_of_site ON site_reopening (site, at);

-- What a slot was when it was cancelled, which is lost in the slot itself; and how that cancellation ended.
CREATE TABLE cancelled_slot (
    cancellation uuid NOT NULL REFERENCES site_cancellation,
    slot         bigint NOT NULL,                          -- no foreign key: once over, it may go into the archive
    capacity     integer NOT NULL CHECK (capacity >= 0),   -- before
    reopening    uuid REFERENCES site_reopening,
    PRIMARY KEY (slot, cancellation)
);
CREATE INDEX cancelled_slot_of_cancellation ON cancelled_slot (cancellation);

CREATE FUNCTION keep_capacity_cancelled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO cancelled_slot (cancellation, slot, capacity) VALUES (NEW.cancellation, NEW.id, OLD.capacity);
    RETURN NULL;
END
$$;
-- Of this column only: what is booked and given back fires nothing.
CREATE TRIGGER slot_is_cancelled AFTER UPDATE OF cancellation ON slot FOR EACH ROW
    WHEN (OLD.cancellation IS NULL AND NEW.cancellation IS NOT NULL) EXECUTE FUNCTION keep_capacity_cancelled();

-- Of slots that were cancelled before, nobody wrote down what they had: it is as many as were in them, or more.
INSERT INTO cancelled_slot (cancellation, slot, capacity)
SELECT s.cancellation, s.id,
       greatest(s.capacity, (SELECT count(*) FROM displaced d WHERE d.slot = s.id AND d.cancellation = s.cancellation))
  FROM slot s WHERE s.cancellation IS NOT NULL;

-- Opens cancelled slots of a site again, as free places; nobody is moved back. `people`: how many of those whom their
-- cancellations concern are not settled; while there are any, nothing is done: one must not be offered a time elsewhere
-- while strangers book one's old place. p_places: in each of the slots; null, as many as before it was cancelled.
-- Whoever is in a slot all the same (checked in when it was cancelled) keeps the place.
-- Once somebody displaced is settled they stay so, and none are added to a cancellation: looking is enough, they need no
-- lock. The slots are locked in their order, so that a place which is just given back has left them, or comes free.
CREATE FUNCTION reopen_slots(
    p_reopening uuid, p_site bigint, p_slot bigint, p_from timestamptz, p_before timestamptz, p_places integer,
    p_reason text, p_actor text, p_role text, p_person bytea, p_now timestamptz, OUT slots integer, OUT people integer
) LANGUAGE plpgsql AS $$
DECLARE
    ids bigint[];
BEGIN
    SELECT coalesce(array_agg(locked.id), '{}'), count(*) INTO ids, slots
      FROM (SELECT s.id FROM slot s
             WHERE s.site = p_site AND s.starts_at > p_now AND s.cancellation IS NOT NULL
               AND CASE WHEN p_slot IS NULL THEN s.starts_at >= p_from AND s.starts_at < p_before ELSE s.id = p_slot END
             ORDER BY s.id FOR NO KEY UPDATE) locked;
    SELECT count(*) INTO people FROM displaced d
     WHERE d.state IN ('waiting', 'offered') AND d.cancellation IN (SELECT s.cancellation FROM slot s WHERE s.id = ANY (ids));
    IF slots = 0 OR people > 0 THEN
        RETURN;
    END IF;
    INSERT INTO site_reopening (id, site, first, last, slots, places, reason, actor, at)
    SELECT p_reopening, p_site, min(s.starts_at), max(s.starts_at), count(*), 0, p_reason, p_actor, p_now
      FROM slot s WHERE s.id = ANY (ids);
    UPDATE cancelled_slot c SET reopening = p_reopening FROM slot s
     WHERE s.id = ANY (ids) AND c.slot = s.id AND c.cancellation = s.cancellation;
    UPDATE slot s
       SET cancellation = NULL, capacity = greatest(coalesce(p_places, c.capacity), s.capacity),
           remaining = greatest(coalesce(p_places, c.capacity), s.capacity) - (s.capacity - s.remaining)
      FROM cancelled_slot c
     WHERE s.id = ANY (ids) AND c.slot = s.id AND c.reopening = p_reopening;
    UPDATE site_reopening r SET places = (SELECT sum(s.remaining) FROM slot s WHERE s.id = ANY (ids))
     WHERE r.id = p_reopening;
    INSERT INTO audit_event (at, kind, programme, actor, person, about, details)
    SELECT p_now, 'slots_reopened', s.programme, p_role, p_person, p_reopening,
           json_build_object('site', p_site, 'slots', array_agg(s.id ORDER BY s.id), 'places', sum(s.remaining))
      FROM slot s WHERE s.id = ANY (ids) GROUP BY s.programme;
END
$$;

-- migrate:down
DROP FUNCTION reopen_slots;
DROP TRIGGER slot_is_cancelled ON slot;
DROP FUNCTION keep_capacity_cancelled;
DROP TABLE cancelled_slot, site_reopening;
