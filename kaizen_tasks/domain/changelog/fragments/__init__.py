"""Changelog fragments: files with one entry each, which the next release folds into the changelog."""
