"""App Runner: its API, its services, and the controller that runs their operations."""
