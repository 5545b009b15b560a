-- name: backlog^
-- Outbox rows that wait, and the age of the oldest in seconds.
SELECT count(*) AS rows, coalesce(extract(epoch FROM :now - min(created_at)), 0)::float8 AS oldest_s FROM outbox;
