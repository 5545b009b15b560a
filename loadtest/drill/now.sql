-- The database's clock, to tell later what happened during the drill. Prints JSON text.
SELECT to_json(clock_timestamp());
