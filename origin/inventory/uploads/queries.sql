-- name: add_upload!
-- An upload that waits for a worker; its pieces come in the same transaction.
INSERT INTO supply_upload (id, programme, brought_by, brought_at, files, dry_run, booked, asked_by, asked_at, state)
VALUES (:id, :programme, :actor, :now, :files, :dry_run, :booked, :actor, :now, 'waiting');

-- name: add_piece!
INSERT INTO supply_upload_piece (upload, file, n, bytes) VALUES (:upload, :file, :n, :bytes);

-- name: piece^
SELECT bytes FROM supply_upload_piece WHERE upload = :upload AND file = :file AND n = :n;

-- name: upload^
-- One upload of a programme, with its report.
SELECT id, programme, brought_by, brought_at, files, files_kept, dry_run, booked, asked_by, asked_at, state, step, done, total,
       ended_at, report
  FROM supply_upload
 WHERE id = :id AND programme = :programme;

-- name: newest_uploads
-- The newest uploads of a programme, without their reports.
SELECT id, programme, brought_by, brought_at, files, files_kept, dry_run, booked, asked_by, asked_at, state, step, done, total,
       ended_at, report ->> 'outcome' AS outcome
  FROM supply_upload
 WHERE programme = :programme
 ORDER BY brought_at DESC, id
 LIMIT :at_most;

-- name: newest_imports
-- What was brought to a programme, by whatever way, the newest first.
SELECT id, kind, actor, booked, sources, started_at, finished_at, counts
  FROM supply_import
 WHERE programme = :programme
 ORDER BY started_at DESC, id
 LIMIT :at_most;

-- name: ask_to_run^
-- Lets the worker run an upload again; not one that waits or runs already, or whose files are gone.
UPDATE supply_upload
   SET state = 'waiting', dry_run = :dry_run, booked = :booked, asked_by = :actor, asked_at = :now, attempts = 0, step = '',
       done = 0, total = 0, ended_at = NULL, report = NULL
 WHERE id = :id AND programme = :programme AND state IN ('over', 'failed') AND files_kept
RETURNING id;

-- name: is_there_work^
SELECT EXISTS (SELECT FROM supply_upload WHERE state IN ('waiting', 'running')) AS work;

-- name: hold_uploads^
-- One worker runs uploads, for as long as its session lives: whatever is `running` without it was broken off.
SELECT pg_try_advisory_lock(hashtext('supply uploads')) AS mine;

-- name: next_upload^
-- The one that has waited longest.
SELECT id, programme, files, dry_run, booked, asked_by, attempts
  FROM supply_upload
 WHERE state IN ('waiting', 'running')
 ORDER BY asked_at, id
 LIMIT 1;

-- name: begin_run!
UPDATE supply_upload SET state = 'running', attempts = attempts + 1, step = '', done = 0, total = 0 WHERE id = :id;

-- name: tell_run!
UPDATE supply_upload SET step = :step, done = :done, total = :total WHERE id = :id AND state = 'running';

-- name: put_back!
-- Another import was under way: that was no attempt.
UPDATE supply_upload SET state = 'waiting', attempts = attempts - 1 WHERE id = :id;

-- name: end_run!
UPDATE supply_upload SET state = :state, ended_at = :now, report = :report, files_kept = :keep WHERE id = :id;

-- name: drop_pieces!
DELETE FROM supply_upload_piece WHERE upload = :id;

-- name: forget_files!
-- Files that nobody has come back for.
WITH old AS (
    UPDATE supply_upload SET files_kept = false WHERE files_kept AND ended_at < :before RETURNING id
)
DELETE FROM supply_upload_piece USING old WHERE supply_upload_piece.upload = old.id;
