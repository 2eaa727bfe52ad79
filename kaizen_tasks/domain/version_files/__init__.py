"""Files that repeat VERSION: where they do, and how they spell it."""
