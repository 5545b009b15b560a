"""Crowds: opening-day drills and benchmarks, judged from the outside over HTTP and SQL."""
