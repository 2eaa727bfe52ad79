"""What the tasks that run on this machine alone do."""
