"""ECS: services in Express Mode and plain ones on Fargate, their deployments and their logs."""
