"""The release that is being made: its preconditions, its pending state, the files that it edits."""
