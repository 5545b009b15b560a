-- Where visitors live: near sites that have supply in the next fortnight, a repeatable sample, small enough that
-- neighbours want the same slots. Prints a JSON array.
SELECT coalesce(json_agg(json_build_object('region', region, 'lat', lat, 'lng', lng)), '[]')
FROM (
    SELECT region, lat, lng
    FROM site
    WHERE EXISTS (
        SELECT FROM slot
        WHERE slot.site = site.id AND slot.programme = :'programme' AND slot.remaining > 0
          AND slot.starts_at BETWEEN now() + interval '1 hour' AND now() + interval '14 days')
    ORDER BY md5(site.id || :'seed')
    LIMIT 20
) AS sample;
