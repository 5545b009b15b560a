-- name: places
-- Towns and postal codes that begin as typed, what is called exactly so first. A town counts once in its region, whether
-- the gazetteer has it or only its sites do; it lies where the gazetteer says, or else in the middle of its sites. So do
-- postal codes. Of what begins with a letter or two a country has tens of thousands: of the gazetteer the first 1,000 count,
-- those that are called exactly so, then the largest towns and the shortest codes.
WITH asked AS MATERIALIZED (
    SELECT words_like(:typed) AS words, fold(:typed) AS name, fold_code(:typed) AS code, fold(:region) AS region,
           ARRAY(SELECT id FROM region WHERE fold(:region) IN (fold(name), fold(id))) AS regions
), town AS (
    SELECT g.key = asked.name AS exact, g.key, g.name, g.region, g.lat, g.lng, g.time_zone, g.population
      FROM asked JOIN gazetteer g ON words_of(g.name) @@ asked.words
     WHERE asked.region = '' OR g.region = ANY (asked.regions)
     ORDER BY g.key = asked.name DESC, g.population DESC, g.id
     LIMIT 1000
), found AS (
    SELECT 'town' AS kind, exact, key, name, region, lat, lng, time_zone, population, 0 AS sites FROM town
    UNION ALL
    SELECT 'town', fold(site.town) = asked.name, fold(site.town), site.town, site.region, site.lat, site.lng, site.time_zone,
           NULL, 1
      FROM asked JOIN site ON words_of(site.town) @@ asked.words
    UNION ALL
    SELECT 'postcode', code.key = asked.code, code.key, code.postcode, code.region, code.lat, code.lng, code.time_zone, 0, 0
      FROM asked
     CROSS JOIN LATERAL (
            SELECT * FROM gazetteer_postcode p
             WHERE p.key >= asked.code AND p.key < asked.code || chr(1114111)
               AND (asked.region = '' OR p.region = ANY (asked.regions))
             ORDER BY p.key
             LIMIT 1000
           ) code
     WHERE asked.code <> ''
    UNION ALL
    SELECT 'postcode', fold_code(site.postcode) = asked.code, fold_code(site.postcode), site.postcode, site.region, site.lat,
           site.lng, site.time_zone, NULL, 1
      FROM asked
      JOIN site ON fold_code(site.postcode) COLLATE "C" >= asked.code
               AND fold_code(site.postcode) COLLATE "C" < asked.code || chr(1114111)
     WHERE asked.code <> ''
)
SELECT found.kind, found.exact, min(found.name) AS name, found.region, region.name AS region_name,
       coalesce((array_agg(found.lat ORDER BY found.population DESC) FILTER (WHERE found.population IS NOT NULL))[1],
                avg(found.lat)) AS lat,
       coalesce((array_agg(found.lng ORDER BY found.population DESC) FILTER (WHERE found.population IS NOT NULL))[1],
                avg(found.lng)) AS lng,
       max(found.time_zone) AS time_zone, sum(found.sites)::bigint AS sites
  FROM asked
 CROSS JOIN found
  JOIN region ON region.id = found.region
 WHERE asked.region = '' OR found.region = ANY (asked.regions)
 GROUP BY found.kind, found.exact, found.key, found.region, region.name
 ORDER BY found.exact DESC, sites DESC, coalesce(max(found.population), 0) DESC, found.key, found.region
 LIMIT :at_most;

-- name: towns_with_sites
-- The towns that have a site, each in the middle of its sites, by region.
SELECT 'town' AS kind, true AS exact, site.town AS name, region.id AS region, region.name AS region_name, avg(site.lat) AS lat,
       avg(site.lng) AS lng, max(site.time_zone) AS time_zone, count(*) AS sites
  FROM site
  JOIN region ON region.id = site.region
 GROUP BY region.id, region.name, site.town
 ORDER BY region.name, site.town
 LIMIT :at_most;
