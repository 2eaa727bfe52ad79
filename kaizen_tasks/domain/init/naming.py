"""Patterns of a team's resource names, such as `{env}-{app}-app`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

REPOSITORY_SUFFIXES = ("app", "ecr", "image", "repo", "repository", "service", "services", "svc", "runner")
ENV_PLACEHOLDER = "{env}"
APP_PLACEHOLDER = "{app}"
DEFAULT_PATTERNS = {
    "platform": "apprunner",
    "repository": "{env}-{app}-app",
    "follow": "latest",
    "service": "{env}-{app}-service",
    "cluster": "default",
    "container": "",
    "url": "",
}
"""The configuration's own defaults."""


def common_pattern(names: Mapping[str, str], app: str = "") -> str:
    """Return the pattern that most names follow; empty when no name contains its environment.

    Args:
        names: names of resources, by environment.
        app: the app's name, which is replaced by a placeholder too.
    """
    templates = [_replace_word(name, environment, ENV_PLACEHOLDER) for environment, name in names.items()]
    patterns = Counter(_replace_word(template, app, APP_PLACEHOLDER) for template in templates)
    return next((pattern for pattern, _ in patterns.most_common() if ENV_PLACEHOLDER in pattern), "")


def shared_name(names: Mapping[str, str]) -> str:
    """Return the name that several environments have in common; empty when there are different names, or only one."""
    return next(iter(names.values())) if len(names) > 1 and len({*names.values()}) == 1 else ""


def contains_word(text: str, word: str) -> bool:
    """Return whether a text contains a word, with neither letter nor digit directly before or after it."""
    return re.search(_word_pattern(word), text) is not None


def _replace_word(text: str, word: str, placeholder: str) -> str:
    return re.sub(_word_pattern(word), placeholder, text, count=1) if word else text


def _word_pattern(word: str) -> str:
    return rf"(?<![a-zA-Z0-9]){re.escape(word)}(?![a-zA-Z0-9])"


def fill_pattern(pattern: str, environment: str, app: str) -> str:
    """Return the name of a resource by its pattern, for an environment and an app."""
    return pattern.replace(ENV_PLACEHOLDER, environment).replace(APP_PLACEHOLDER, app)


def common_app_name(repositories: Mapping[str, str]) -> str:
    """Return the app's name that the names of repositories, given by environment, have in common, or empty."""
    words = [word for word in re.split(r"[-_./]", common_pattern(repositories)) if word not in {"", ENV_PLACEHOLDER}]
    return "-".join(words[:-1] if words and words[-1] in REPOSITORY_SUFFIXES else words)


def slugify(text: str) -> str:
    """Return a text converted to a valid name for repositories, services and tables."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "app"


def guess_service_name(repository: str) -> str:
    """Return the probable service name for a repository's name; empty when the name does not suggest one."""
    stem, dash, suffix = repository.rpartition("-")
    return f"{stem}-service" if dash and suffix == "app" else ""
