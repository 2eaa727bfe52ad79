"""The plan of `kaizen init`: which files it would write."""
