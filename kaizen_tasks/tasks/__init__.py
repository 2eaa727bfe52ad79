"""Deprecated import paths of 0.1, until 1.0."""
