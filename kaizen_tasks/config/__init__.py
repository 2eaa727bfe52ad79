"""The configuration: the keys of `kaizen.toml`, how it is read, and the settings that it becomes."""
