"""Addresses that documents name: `https://staging.example.com/version`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kaizen_tasks.domain.init.evidence import Sighting, Traces

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ADDRESS = re.compile(r"(https://([\w-]+)\.[\w.-]+)/version\b")


def read(files: Mapping[str, str], known: Sequence[str]) -> Traces:
    """Return where environments answer, as far as documents say it.

    Args:
        files: Markdown, by path.
        known: names of environments; an address says nothing of others.
    """
    return Traces(
        sightings=tuple(
            Sighting(environment=name, url=url, where=path)
            for path, text in files.items()
            for url, name in ADDRESS.findall(text)
            if name in known
        )
    )
