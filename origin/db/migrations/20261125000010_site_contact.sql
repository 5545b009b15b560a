-- migrate:up

-- What the public feed must say of a place, and may: neither is required, a site without a postal code is not in the feed.
ALTER TABLE site
    ADD COLUMN IF NOT EXISTS postal_code text,
    ADD COLUMN IF NOT EXISTS phone text;

-- migrate:down
ALTER TABLE site DROP COLUMN IF EXISTS postal_code, DROP COLUMN IF EXISTS phone;
