"""The document of the dashboard."""
