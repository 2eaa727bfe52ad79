"""What the flows need from the outside world, and nothing about how it is done.

Each port has a real adapter, a fake for tests, and one contract suite that every implementation passes.
"""
