"""What visitors do, as JSON: join, see where they stand, be let through, leave, go on with another device."""
