"""What the edge and the origin must agree on: tokens, keys, problems, clock, ids, logs, metrics, HTTP."""
