"""Supply in bulk: files of regions, sites, slots and recurring clinics, checked row by row, merged batch by batch."""
