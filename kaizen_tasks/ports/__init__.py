"""What flows need from the outside, as protocols; an adapter implements each.

Each port has a real adapter, a fake for tests, and one contract suite that every implementation passes. Methods that
change something are marked with `effects.mutates`.
"""
