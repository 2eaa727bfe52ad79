"""The pattern in a team's names: `{env}-{app}-app`, and who is an exception to it."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY_SUFFIXES = ("app", "ecr", "image", "repo", "repository", "service", "svc")
ENV_PLACEHOLDER = "{env}"
APP_PLACEHOLDER = "{app}"
DEFAULT_PATTERNS = {
    "repository": f"{ENV_PLACEHOLDER}-{APP_PLACEHOLDER}-app",
    "service": f"{ENV_PLACEHOLDER}-{APP_PLACEHOLDER}-service",
    "url": "",
}
SEPARATORS = "-_./"


def common_pattern(names: Mapping[str, str], app: str = "") -> str:
    """Return the pattern that most names follow; empty when none has its environment in it.

    Args:
        names: by environment.
        app: the app's name, which becomes a placeholder too.
    """
    counts = Counter(with_placeholders(name, environment, app) for environment, name in names.items())
    return next((candidate for candidate, _ in counts.most_common() if ENV_PLACEHOLDER in candidate), "")


def with_placeholders(name: str, environment: str, app: str) -> str:
    """Return a name with placeholders in the place of its environment and app."""
    return _replace_word(_replace_word(name, environment, ENV_PLACEHOLDER), app, APP_PLACEHOLDER)


def _replace_word(text: str, word: str, placeholder: str) -> str:
    if not word:
        return text
    return re.sub(rf"(?<![a-zA-Z0-9]){re.escape(word)}(?![a-zA-Z0-9])", placeholder, text, count=1)


def fill_pattern(pattern: str, environment: str, app: str) -> str:
    """Return the name that a pattern stands for."""
    return pattern.replace(ENV_PLACEHOLDER, environment).replace(APP_PLACEHOLDER, app)


def common_app_name(repositories: Mapping[str, str]) -> str:
    """Return the part that the names of repositories share beside their environments; empty when there is none."""
    words = re.split(r"[-_./]", common_pattern(repositories))
    words = [word for word in words if word != ENV_PLACEHOLDER]
    if words and words[-1] in REPOSITORY_SUFFIXES:
        words.pop()
    return "-".join(word for word in words if word)


def slugify(text: str) -> str:
    """Return a text as a name that repositories, services and tables may have."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "app"


def guess_service_name(repository: str) -> str:
    """Return what the service of a repository is probably called; empty when its name says nothing."""
    stem, dash, suffix = repository.rpartition("-")
    return f"{stem}-service" if dash and suffix == "app" else ""
