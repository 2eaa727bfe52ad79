"""A training plan on one page: what is on today, and which release says so."""
