"""Supply files that come over HTTP: kept in the database, imported by the worker, told of while they are."""
