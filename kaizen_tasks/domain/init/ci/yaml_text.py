"""Writes values as YAML, in quotes where YAML would take them for something else."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from string import Template

YAML_KEYWORDS = {"true", "false", "yes", "no", "on", "off", "y", "n", "null"}  # https://yaml.org/type/bool.html


class YamlTemplate(Template):
    """A template with `%` as its delimiter, since YAML for CI is full of `$`."""

    delimiter = "%"


def yaml_scalar(text: str) -> str:
    """Return a text as YAML: `on` would be true, `1e3` a number."""
    is_plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text) and text.lower() not in YAML_KEYWORDS
    return text if is_plain else json.dumps(text)


def yaml_list(paths: Sequence[str]) -> str:
    """Return paths as the items of a YAML list."""
    return ", ".join(path if re.fullmatch(r"[A-Za-z][\w./-]*", path) else json.dumps(path) for path in paths)
