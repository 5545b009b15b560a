"""A strict checker of anybody's SMART Scheduling Links: ``vestibule feed validate``."""
