"""Reads what deploys to Amazon ECS: task definitions, and the configuration of ecspresso."""
