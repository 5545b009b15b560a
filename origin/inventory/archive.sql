-- name: archive^
-- Moves slots that were over before a moment, and that nothing refers to, out of the next so many behind one of them.
SELECT archived, last, is_busy FROM archive_slots(:before, :after, :at_most, :now);

-- name: last_slot^
SELECT coalesce(max(id), 0) AS id FROM slot;

-- name: to_archive^
-- How many would be moved.
SELECT count(*) AS slots FROM slot_untouched WHERE ends_at < :before;

-- name: partitions
-- The archive's partitions, oldest first, and those that were taken out and are still here.
SELECT name, coalesce(region, '') AS region, month, is_attached, slots, bytes
  FROM slot_partitions()
 ORDER BY month, name;

-- name: detach^
-- Takes a partition out of the archive; says what it is called now, or null where it is none any more.
SELECT detach_slots(:partition) AS became;
