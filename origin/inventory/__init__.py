"""Supply: regions, sites and slots, and the search for a slot."""
