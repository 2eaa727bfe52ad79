"""The outside world: one file for each outside thing, each behind a port."""
