"""The ledger, locks and holds in one DynamoDB table."""
