-- name: hold_place^
-- Keeps a place for a person for a while; it is the only one that they have opened.
SELECT outcome, hold, until, answer
  FROM hold_place(:hold, :programme, :person, :slot, :decision, :appointment, :now);

-- name: release_hold^
-- Gives a held place back.
SELECT release_hold(:person, :hold) AS released;

-- name: hold_of^
-- The hold that a person has on a slot, unless it has lapsed; and whether they have opened it, or were offered it.
SELECT id, slot, expires_at, kind = 'opened' AS opened FROM hold
 WHERE person = :person AND slot = :slot AND expires_at > :now;

-- name: sweep_holds^
-- Gives back the places of lapsed holds, at so many slots.
SELECT sweep_holds(:now, :at_most) AS swept;

-- name: terms^
-- Until when and how often an appointment may still be changed; null, any number of times.
SELECT a.programme, s.starts_at - p.change_until AS until, p.moves_at_most - a.moves AS moves_left,
       p.cancels_at_most - (
           SELECT count(*) FROM appointment other
            WHERE other.programme = a.programme AND other.person = a.person AND other.cancelled_by = 'visitor'
              AND other.follows IS NULL
       ) AS cancels_left
  FROM appointment a
  JOIN slot s ON s.id = a.slot
  JOIN programme p ON p.id = a.programme
 WHERE a.id = :appointment AND :person IN (a.person, a.booked_by);
