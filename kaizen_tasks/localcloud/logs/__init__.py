"""CloudWatch Logs: what instances print, and the API that reads it."""
