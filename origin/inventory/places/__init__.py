"""Towns and postal codes by file: the gazetteer that searches begin at is filled and replaced here."""
