"""The tasks as `inv --list` and `inv --help` show them: names, flags, help. What they do is in `handlers`."""
