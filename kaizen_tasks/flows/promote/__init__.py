"""Promotion: which release, to which environments, in which order."""
