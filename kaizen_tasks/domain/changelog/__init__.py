"""Changelogs in the format of Keep a Changelog, as bytes: parse, cut, add to, lint and render them."""

from typing import Final

DEFAULT_PATH = "CHANGELOG.md"

CHANGE_TYPES: Final = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
"""The six types of change, in the order of Keep a Changelog."""
