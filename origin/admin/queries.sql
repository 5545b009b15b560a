-- name: create_programme!
-- Sets up a programme; an existing one of that id keeps everything but its name and decision lifetime.
INSERT INTO programme (id, name, room, decision_ttl)
VALUES (:id, :name, :room, :decision_ttl)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, decision_ttl = excluded.decision_ttl;

-- name: all_programmes
-- Every programme, by the waiting room whose tokens admit to it.
SELECT id, name, room, decision_ttl FROM programme;
