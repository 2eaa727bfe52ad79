"""This machine: files, processes, the clock."""
