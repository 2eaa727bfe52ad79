"""The pattern in a team's names: `{env}-{app}-app`, and who is an exception to it."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ENDINGS = ("app", "ecr", "image", "repo", "repository", "service", "svc")
ENVIRONMENT = "{env}"
APP = "{app}"
USUAL = {"repository": f"{ENVIRONMENT}-{APP}-app", "service": f"{ENVIRONMENT}-{APP}-service", "url": ""}
SEPARATORS = "-_./"


def pattern(names: Mapping[str, str], app: str = "") -> str:
    """Return the pattern that most names follow; empty when none has its environment in it.

    Args:
        names: by environment.
        app: the app's name, which becomes a placeholder too.
    """
    seen = Counter(with_placeholders(name, environment, app) for environment, name in names.items())
    return next((each for each, _ in seen.most_common() if ENVIRONMENT in each), "")


def with_placeholders(name: str, environment: str, app: str) -> str:
    """Return a name with placeholders in the place of its environment and app."""
    return _replaced(_replaced(name, environment, ENVIRONMENT), app, APP)


def _replaced(text: str, word: str, placeholder: str) -> str:
    if not word:
        return text
    return re.sub(rf"(?<![a-zA-Z0-9]){re.escape(word)}(?![a-zA-Z0-9])", placeholder, text, count=1)


def fill(pattern: str, environment: str, app: str) -> str:
    """Return the name that a pattern stands for."""
    return pattern.replace(ENVIRONMENT, environment).replace(APP, app)


def app_of(repositories: Mapping[str, str]) -> str:
    """Return the part that the names of repositories share beside their environments; empty when there is none."""
    words = re.split(r"[-_./]", pattern(repositories))
    words = [word for word in words if word != ENVIRONMENT]
    if words and words[-1] in ENDINGS:
        words.pop()
    return "-".join(word for word in words if word)


def slug(text: str) -> str:
    """Return a text as a name that repositories, services and tables may have."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "app"


def beside(repository: str) -> str:
    """Return what the service of a repository is probably called; empty when its name says nothing."""
    stem, dash, ending = repository.rpartition("-")
    return f"{stem}-service" if dash and ending == "app" else ""
