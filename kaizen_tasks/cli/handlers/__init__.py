"""What each task does: parse its flags, plan a flow, run it, print. One module for each command family.

A module here is imported when one of its tasks runs, so it imports what it needs at its top.
"""
