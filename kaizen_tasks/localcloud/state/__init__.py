"""The folder that keeps what a local cloud has answered, and its files."""
