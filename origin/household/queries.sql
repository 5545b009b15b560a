-- name: members
-- Whom a holder has named, in the order of naming.
SELECT id, name, created_at FROM household_member WHERE holder = :holder ORDER BY created_at, id;

-- name: persons
-- Under which pseudonyms some members of a holder are booked for.
SELECT id, person FROM household_member WHERE holder = :holder AND id = ANY (:members::uuid[]);

-- name: name_member^
-- Names a member; see the function.
SELECT outcome, member FROM name_member(:id, :holder, :person, :name, :now, :at_most, :a_day);

-- name: seal_again!
-- The same name under a newer key.
UPDATE household_member SET name = :name WHERE id = :id AND holder = :holder;

-- name: remove_member!
-- Forgets a member; what was booked for them stays booked.
DELETE FROM household_member WHERE id = :id AND holder = :holder;
