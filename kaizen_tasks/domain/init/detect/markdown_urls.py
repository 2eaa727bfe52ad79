"""Finds the URLs of environments in documents, such as `https://staging.example.com/version`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kaizen_tasks.domain.init.evidence import EnvironmentFact, Facts, Trust

VERSION_URL = re.compile(r"(https://([\w-]+)\.[\w.-]+)/version\b")


def facts_from_markdown(files: Mapping[str, str], environments: Sequence[str]) -> Facts:
    """Return facts with the URLs of environments that documents mention.

    Args:
        files: Markdown, by path.
        environments: names of known environments; URLs of others are ignored.
    """
    urls = ((path, *match) for path, text in files.items() for match in VERSION_URL.findall(text))
    known = ((path, url, name) for path, url, name in urls if name in environments)
    facts = (EnvironmentFact(environment=name, url=url, source=path, trust=Trust.DOCUMENT) for path, url, name in known)
    return Facts(environment_facts=tuple(facts))
