"""Rollback: the candidates, `inv rollback`, and the automatic rollback of a release that fails verification."""
