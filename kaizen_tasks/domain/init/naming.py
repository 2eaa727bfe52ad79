"""The pattern of a team's resource names, such as `{env}-{app}-app`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

REPOSITORY_SUFFIXES = ("app", "ecr", "image", "repo", "repository", "service", "svc")
ENV_PLACEHOLDER = "{env}"
APP_PLACEHOLDER = "{app}"
DEFAULT_PATTERNS = {"repository": "{env}-{app}-app", "service": "{env}-{app}-service", "url": ""}


def common_pattern(names: Mapping[str, str], app: str = "") -> str:
    """Return the pattern that most names follow; empty when none contains its environment.

    Args:
        names: by environment.
        app: the app's name, which becomes a placeholder too.
    """
    templates = [_replace_word(name, environment, ENV_PLACEHOLDER) for environment, name in names.items()]
    patterns = Counter(_replace_word(template, app, APP_PLACEHOLDER) for template in templates)
    return next((pattern for pattern, _ in patterns.most_common() if ENV_PLACEHOLDER in pattern), "")


def contains_word(text: str, word: str) -> bool:
    """Return whether a name contains another one as a word: between other characters than letters and digits."""
    return re.search(_word_pattern(word), text) is not None


def _replace_word(text: str, word: str, placeholder: str) -> str:
    return re.sub(_word_pattern(word), placeholder, text, count=1) if word else text


def _word_pattern(word: str) -> str:
    return rf"(?<![a-zA-Z0-9]){re.escape(word)}(?![a-zA-Z0-9])"


def fill_pattern(pattern: str, environment: str, app: str) -> str:
    """Return the name that a pattern gives for an environment and an app."""
    return pattern.replace(ENV_PLACEHOLDER, environment).replace(APP_PLACEHOLDER, app)


def common_app_name(repositories: Mapping[str, str]) -> str:
    """Return what the names of repositories have in common besides their environments; empty when nothing."""
    words = [word for word in re.split(r"[-_./]", common_pattern(repositories)) if word not in {"", ENV_PLACEHOLDER}]
    return "-".join(words[:-1] if words and words[-1] in REPOSITORY_SUFFIXES else words)


def slugify(text: str) -> str:
    """Return a text as a name that repositories, services and tables may have."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "app"


def guess_service_name(repository: str) -> str:
    """Return the probable service name for a repository; empty when its name gives no clue."""
    stem, dash, suffix = repository.rpartition("-")
    return f"{stem}-service" if dash and suffix == "app" else ""
