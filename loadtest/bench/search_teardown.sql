-- Takes away a database of the benchmark's. Does nothing where there is none.
DROP DATABASE IF EXISTS :"name" WITH (FORCE);
