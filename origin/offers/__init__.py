"""Places that are promised to somebody until a deadline, and how they are answered."""
