"""Rollback: the candidates, and the automatic rollback of a failed deployment."""
