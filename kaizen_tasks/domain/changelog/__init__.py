"""The changelog, in the manner of Keep a Changelog: parse, cut, add, lint and render it.

Everything here is a function of bytes and values: nothing is read, written or printed.
"""
