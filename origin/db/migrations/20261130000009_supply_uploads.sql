-- migrate:up

-- Files of supply that somebody has brought over HTTP, and how far the worker is with them.
CREATE TABLE supply_upload (
    id         uuid PRIMARY KEY,
    programme  text NOT NULL REFERENCES programme,
    brought_by text NOT NULL,
    brought_at timestamptz NOT NULL,
    files      jsonb NOT NULL,           -- name and bytes of each
    files_kept boolean NOT NULL DEFAULT true,
    -- The run that is meant: checked only, or done; in whose name; what about slots with people in them.
    dry_run    boolean NOT NULL,
    booked     text CHECK (booked IN ('cut', 'leave')),
    asked_by   text NOT NULL,
    asked_at   timestamptz NOT NULL,
    state      text NOT NULL CHECK (state IN ('waiting', 'running', 'over', 'failed')),
    attempts   smallint NOT NULL DEFAULT 0,
    step       text NOT NULL DEFAULT '',  -- reading | comparing | merging, and how much of it is done, out of how much
    done       bigint NOT NULL DEFAULT 0,
    total      bigint NOT NULL DEFAULT 0,
    ended_at   timestamptz,
    report     jsonb,
    CHECK ((state IN ('over', 'failed')) = (ended_at IS NOT NULL))
);
CREATE INDEX supply_upload_to_run ON supply_upload (asked_at) WHERE state IN ('waiting', 'running');
CREATE INDEX supply_upload_kept ON supply_upload (ended_at) WHERE files_kept;
CREATE INDEX supply_upload_newest ON supply_upload (programme, brought_at);
CREATE INDEX supply_import_newest ON supply_import (programme, started_at);

-- The files themselves, in pieces: any worker can take them up, and none of them is held in memory as a whole.
CREATE TABLE supply_upload_piece (
    upload uuid NOT NULL REFERENCES supply_upload,
    file   smallint NOT NULL,
    n      integer NOT NULL,
    bytes  bytea NOT NULL,
    PRIMARY KEY (upload, file, n)
);

-- migrate:down
DROP INDEX supply_import_newest;
DROP TABLE supply_upload_piece, supply_upload;
