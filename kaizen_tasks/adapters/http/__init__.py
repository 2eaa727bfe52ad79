"""HTTP requests to the running app."""
