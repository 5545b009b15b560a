-- migrate:up

-- Sites, as supply files describe them ----------------------------------------------------------------------------------

ALTER TABLE site
    ADD COLUMN code          text,                        -- what supply files call it
    ADD COLUMN accessibility text[] NOT NULL DEFAULT '{}',  -- beyond `step_free`
    ADD COLUMN email         text NOT NULL DEFAULT '',
    ADD COLUMN url           text NOT NULL DEFAULT '',
    ADD COLUMN products      text[] NOT NULL DEFAULT '{}';  -- CVX codes that it can give; none, whatever slots say
UPDATE site SET code = id::text;
ALTER TABLE site
    ALTER COLUMN code SET NOT NULL,
    ALTER COLUMN code SET DEFAULT gen_random_uuid()::text,
    ADD CONSTRAINT site_code UNIQUE (code),
    ADD CONSTRAINT site_code_form CHECK (code ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$');

-- Recurring clinics -----------------------------------------------------------------------------------------------------

-- Hours are on the site's own clock; slots are made from them ahead of time.
CREATE TABLE clinic_template (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    programme    text NOT NULL REFERENCES programme,
    code         text NOT NULL,
    site         bigint NOT NULL REFERENCES site,
    weekdays     smallint[] NOT NULL CHECK (cardinality(weekdays) > 0 AND weekdays <@ '{1,2,3,4,5,6,7}'),  -- 1 is Monday
    opens        time NOT NULL,
    closes       time NOT NULL,
    breaks_from  time[] NOT NULL,
    breaks_until time[] NOT NULL,
    slot_minutes integer NOT NULL CHECK (slot_minutes > 0),
    capacity     integer NOT NULL CHECK (capacity > 0),
    product      text NOT NULL,
    first_day    date NOT NULL,
    last_day     date,                        -- null, until further notice
    CONSTRAINT clinic_template_code UNIQUE (programme, code),
    CHECK (closes > opens),
    CHECK (cardinality(breaks_from) = cardinality(breaks_until))
);

-- A day that is not like its weekday: closed, or with other hours. The site's own counts before its region's, and that
-- before one for all sites.
CREATE TABLE clinic_exception (
    programme text NOT NULL REFERENCES programme,
    region    text REFERENCES region,
    site      bigint REFERENCES site,
    day       date NOT NULL,
    name      text NOT NULL,
    opens     time,
    closes    time,
    CONSTRAINT clinic_exception_once UNIQUE NULLS NOT DISTINCT (programme, region, site, day),
    CHECK (region IS NULL OR site IS NULL),
    CHECK ((opens IS NULL) = (closes IS NULL) AND closes > opens)
);

-- The template that made a slot and may change it again; null, a person did.
ALTER TABLE slot ADD COLUMN template bigint REFERENCES clinic_template;

-- Who brought what ------------------------------------------------------------------------------------------------------

CREATE TABLE supply_import (
    id          uuid PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('import', 'generate')),
    programme   text NOT NULL REFERENCES programme,
    actor       text NOT NULL,
    booked      text CHECK (booked IN ('cut', 'leave')),  -- what was decided about slots with people in them
    sources     jsonb NOT NULL,            -- name, kind, rows and SHA-256 of each file
    started_at  timestamptz NOT NULL,
    finished_at timestamptz,               -- null, under way or broken off
    counts      jsonb NOT NULL             -- as planned; once finished, as done
);

-- migrate:down
DROP TABLE supply_import;
ALTER TABLE slot DROP COLUMN template;
DROP TABLE clinic_exception, clinic_template;
ALTER TABLE site
    DROP COLUMN code, DROP COLUMN accessibility, DROP COLUMN email, DROP COLUMN url, DROP COLUMN products;
