"""The documentation, and what generates and checks its reference."""
