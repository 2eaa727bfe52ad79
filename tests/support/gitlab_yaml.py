"""Reads pipelines of GitLab CI, whose tag `!reference` takes lines over from another job."""

from __future__ import annotations

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """Reads `!reference [.job, script]` as a tuple."""


_Loader.add_constructor("!reference", lambda loader, node: tuple(loader.construct_sequence(node)))


def load_pipeline(text: str) -> dict[str, Any]:
    """Return a pipeline whose scripts are complete."""
    document: dict[str, Any] = yaml.load(text, _Loader)
    for job in document.values():
        if isinstance(job, dict) and "script" in job:
            job["script"] = _lines(job["script"], document)
    return document


def _lines(script: list[Any], document: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for line in script:
        if isinstance(line, tuple):
            job, key = line
            lines += _lines(document[job][key], document)
        else:
            lines.append(line)
    return lines
