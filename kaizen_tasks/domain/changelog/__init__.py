"""Changelogs in the format of Keep a Changelog, as bytes: parse, cut, add to, lint and render them."""

DEFAULT_PATH = "CHANGELOG.md"
