"""Reading and writing the ledger."""
