"""Checks of a changelog, and the corrections that can be made automatically."""
