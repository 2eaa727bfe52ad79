"""Generates the reference from the code, and runs the commands of the guides."""
