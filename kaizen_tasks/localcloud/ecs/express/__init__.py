"""ECS Express Mode: services that are made from a container, with their task definition, address and alarm."""
