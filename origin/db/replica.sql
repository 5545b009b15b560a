-- name: written^
-- On the primary: how far its log is safely written. Whatever was committed before this was asked lies before that.
SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint AS at;

-- name: replayed^
-- On a replica: how far it has replayed that log; null on a server that follows nobody (any more).
SELECT CASE WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint END AS at;
