"""The release tasks of this app: `inv --list` shows them, kaizen.toml says where they lead."""

from kaizen_tasks import namespace

__all__ = ["namespace"]
