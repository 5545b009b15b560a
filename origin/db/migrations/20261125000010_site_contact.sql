-- migrate:up

-- What the public feed must say of a place, and may: neither is required here, but a site without a postcode is not in it.
ALTER TABLE site
    ADD COLUMN IF NOT EXISTS postcode text NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS phone    text NOT NULL DEFAULT '';

-- migrate:down
ALTER TABLE site DROP COLUMN IF EXISTS postcode, DROP COLUMN IF EXISTS phone;
