"""Locks of environments: acquire, renew and release them, and check them before each change."""
