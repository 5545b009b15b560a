"""The public feed: what the inventory shows, for other programs, as SMART Scheduling Links."""
