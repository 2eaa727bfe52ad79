"""Reading and writing small texts: durations, lists, JSON, what may be printed."""
