"""Addresses that documents name: `https://staging.example.com/version`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kaizen_tasks.domain.init.evidence import EnvironmentFact, Facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VERSION_URL = re.compile(r"(https://([\w-]+)\.[\w.-]+)/version\b")


def facts_from_markdown(files: Mapping[str, str], environments: Sequence[str]) -> Facts:
    """Return where environments answer, as far as documents say it.

    Args:
        files: Markdown, by path.
        environments: names of environments; an address says nothing of others.
    """
    return Facts(
        environment_facts=tuple(
            EnvironmentFact(environment=name, url=url, source=path)
            for path, text in files.items()
            for url, name in VERSION_URL.findall(text)
            if name in environments
        )
    )
