"""Services in ECS Express Mode."""
