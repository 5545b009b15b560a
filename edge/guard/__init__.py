"""Who may take a place: limits by address, proofs of work, cookies, and passes that work once."""
