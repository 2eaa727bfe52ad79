"""DORA's four metrics, from the ledger and git: docs/how-to/metrics.md has the definitions."""
