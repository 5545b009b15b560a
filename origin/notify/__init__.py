"""Telling people: outbox rows are written with each change; the worker watches how many wait."""
