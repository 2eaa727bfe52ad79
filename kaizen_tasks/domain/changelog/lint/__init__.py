"""Checks of a changelog, and automatic fixes."""
