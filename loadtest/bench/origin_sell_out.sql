-- Everybody else was faster: no place of a slot is left.
UPDATE slot SET remaining = 0 WHERE id = :slot;
