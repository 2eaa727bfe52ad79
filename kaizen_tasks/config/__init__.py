"""The settings: what may be said in `kaizen.toml`, and how it is read."""
