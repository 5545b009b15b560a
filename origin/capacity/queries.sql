-- name: programmes
-- Every programme with its waiting room, and whether it is frozen now.
SELECT id, room, frozen_since IS NOT NULL AS frozen, frozen_reason FROM programme ORDER BY id;

-- name: remaining
-- Free places in slots that have not begun, by programme. Reads every slot: no index holds `remaining`, so that a booking
-- changes nothing but its row. The reader bounds how often it asks by what asking costs.
SELECT programme, sum(remaining)::bigint AS remaining FROM slot WHERE starts_at > :now GROUP BY programme;
