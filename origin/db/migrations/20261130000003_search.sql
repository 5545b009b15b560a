-- migrate:up

-- Names as people type them ---------------------------------------------------------------------------------------------

-- Small letters without accents, words with one space between. Whatever the database's locale: nothing of it is used.
CREATE FUNCTION fold(name text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN trim(regexp_replace(
        translate(
            replace(replace(replace(
                regexp_replace(normalize(lower(name), NFD), '[\u0300-\u036f\u064b-\u065f\u0670]', '', 'g'),
                'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'),
            'øłđı', 'oldi'),
        '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2010-\u201f]+', ' ', 'g'));

-- The same for postal codes, where spaces and dashes mean nothing.
CREATE FUNCTION fold_code(code text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN replace(fold(code), ' ', '');

CREATE FUNCTION words_of(name text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_tsvector('simple'::regconfig, fold(name));

-- What finds names by the beginnings of their words; null where nothing was typed.
CREATE FUNCTION words_like(typed text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT to_tsquery('simple'::regconfig, string_agg(quote_literal(word) || ':*', ' & '))
              FROM unnest(string_to_array(fold(typed), ' ')) AS word
             WHERE word <> '');

-- The gazetteer ---------------------------------------------------------------------------------------------------------

-- Towns that people may look from, besides those that have a site.
CREATE TABLE gazetteer (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    region     text NOT NULL REFERENCES region,
    name       text NOT NULL CHECK (fold(name) <> ''),
    lat        double precision NOT NULL CHECK (lat BETWEEN -90 AND 90),
    lng        double precision NOT NULL CHECK (lng BETWEEN -180 AND 180),
    time_zone  text NOT NULL,                                -- IANA name
    population integer NOT NULL CHECK (population >= 0),     -- the larger of two of one name comes first
    CONSTRAINT gazetteer_once UNIQUE (region, name, lat, lng)
);
CREATE INDEX gazetteer_words ON gazetteer USING gin (words_of(name));
CREATE INDEX site_town_words ON site USING gin (words_of(town));
CREATE INDEX site_postcode ON site ((fold_code(postcode) COLLATE "C"));

-- migrate:down
DROP INDEX site_postcode, site_town_words;
DROP TABLE gazetteer;
DROP FUNCTION words_like(text), words_of(text), fold_code(text), fold(text);
