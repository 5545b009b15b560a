"""The database: pool and migrations."""
