"""Changelogs in the format of Keep a Changelog: parse, cut, add to, lint and render them.

All functions take and return bytes and values; files are read and written elsewhere.
"""
