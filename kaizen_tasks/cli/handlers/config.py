"""What `config.schema` does."""

from __future__ import annotations

import sys

from invoke.context import Context

from kaizen_tasks.config.json_schema import schema_text


def schema(_: Context) -> None:
    sys.stdout.write(schema_text())
