-- migrate:up

-- The gazetteer, as files fill it ---------------------------------------------------------------------------------------

-- The country that an entry came with: a new file of a country replaces the entries of that country. Empty, nobody knows.
-- `key` is what the name is found by.
ALTER TABLE gazetteer
    ADD COLUMN country text NOT NULL DEFAULT '' CHECK (country ~ '^([A-Z]{2})?$'),  -- ISO 3166-1
    ADD COLUMN key     text NOT NULL GENERATED ALWAYS AS (fold(name)) STORED,
    DROP CONSTRAINT gazetteer_once,
    ADD CONSTRAINT gazetteer_once UNIQUE (country, region, name, lat, lng);
UPDATE gazetteer SET country = left(region, 2) WHERE region ~ '^[A-Z]{2}-';

-- Postal codes that people may look from, besides those of sites.
CREATE TABLE gazetteer_postcode (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    country   text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    region    text NOT NULL REFERENCES region,
    postcode  text NOT NULL CHECK (fold_code(postcode) <> ''),
    key       text COLLATE "C" NOT NULL GENERATED ALWAYS AS (fold_code(postcode)) STORED,
    lat       double precision NOT NULL CHECK (lat BETWEEN -90 AND 90),
    lng       double precision NOT NULL CHECK (lng BETWEEN -180 AND 180),
    time_zone text NOT NULL,                                 -- IANA name
    CONSTRAINT gazetteer_postcode_once UNIQUE (country, region, postcode)
);
CREATE INDEX gazetteer_postcode_key ON gazetteer_postcode (key);

-- Who filled it with what.
CREATE TABLE gazetteer_import (
    id     uuid PRIMARY KEY,
    actor  text NOT NULL,
    at     timestamptz NOT NULL,
    source jsonb NOT NULL,   -- name, kind, rows and SHA-256 of the file
    counts jsonb NOT NULL
);

-- migrate:down
DROP TABLE gazetteer_import, gazetteer_postcode;
DELETE FROM gazetteer a USING gazetteer b
 WHERE a.id > b.id AND (a.region, a.name, a.lat, a.lng) = (b.region, b.name, b.lat, b.lng);
ALTER TABLE gazetteer
    DROP CONSTRAINT gazetteer_once,
    DROP COLUMN key,
    DROP COLUMN country,
    ADD CONSTRAINT gazetteer_once UNIQUE (region, name, lat, lng);
