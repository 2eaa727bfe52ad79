"""Side-by-side measurements: ratios and counts within one run, never absolute times."""
