"""The release that is being made: its preconditions, its pending state, VERSION and CHANGELOG.md."""
