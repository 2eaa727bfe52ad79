"""Protocols of all that flows use outside of this process; an adapter implements each of them.

Each port has a real adapter, a fake for tests, and one contract suite that every implementation passes. Methods that
change something are marked with `effects.mutates`.
"""
