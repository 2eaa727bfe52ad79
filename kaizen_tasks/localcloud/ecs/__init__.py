"""Amazon ECS: clusters, task definitions, tasks, services with their deployments, and Express Mode."""
