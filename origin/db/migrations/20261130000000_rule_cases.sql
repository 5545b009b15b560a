-- migrate:up

-- Example cases, as JSON, belong to the version that they were drafted with: they are part of what is reviewed, and like the
-- rest of a version they are never edited. Code that knows nothing of them goes on drafting versions without any.
ALTER TABLE rule_version
    ADD COLUMN cases bytea NOT NULL DEFAULT '[]',
    ADD CONSTRAINT rule_version_cases CHECK (octet_length(cases) BETWEEN 2 AND 262144);

-- migrate:down
ALTER TABLE rule_version DROP COLUMN cases;
