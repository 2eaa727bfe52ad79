"""Sample content for the secrets that a local cloud needs: runtime configuration, and values of request headers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kaizen_tasks.domain.made_up import made_up_value
from kaizen_tasks.domain.text.json_document import ConfigDocument
from kaizen_tasks.domain.text.json_pointer import pointer_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.runtime_config import KeyRule

SAMPLE_VALUE = "sample"


def sample_secrets(
    environment: Environment, settings: Settings, known_values: Mapping[str, object]
) -> Mapping[str, str]:
    """Return the content of each secret of an environment, by the secret's name.

    Args:
        environment: the environment.
        settings: the app's settings.
        known_values: members of the runtime configuration whose values need not be made up.
    """
    documents: dict[str, dict[str, Any]] = {}
    for header in settings.verify.headers.values():
        if header.secret:
            document = documents.setdefault(header.secret_name(environment.name, settings.app), {})
            _set_value(document, pointer_tokens(header.key))
    if settings.runtime.keys or known_values:
        values = {name: _sample_value(name, rule) for name, rule in settings.runtime.keys.items()}
        runtime_document = json.loads(ConfigDocument.empty().with_values(values).text)
        documents[environment.secret] = {**documents.get(environment.secret, {}), **runtime_document, **known_values}
    return {name: json.dumps(document) for name, document in documents.items()}


def _sample_value(name: str, rule: KeyRule) -> str:
    return made_up_value(name) if rule.type == "string" else rule.sample_value


def _set_value(document: dict[str, Any], names: tuple[str, ...]) -> None:
    """Put the sample at a path of names."""
    *parents, leaf = names or (SAMPLE_VALUE,)
    for name in parents:
        document = document.setdefault(name, {})
    document[leaf] = SAMPLE_VALUE
