-- name: towns
-- The towns that have a site, each where its sites are, by region.
SELECT region.id AS region, region.name AS region_name, site.town AS name, site.time_zone,
       avg(site.lat) AS lat, avg(site.lng) AS lng, count(*) AS sites
  FROM site
  JOIN region ON region.id = site.region
 GROUP BY region.id, region.name, site.town, site.time_zone
 ORDER BY region.name, site.town;
