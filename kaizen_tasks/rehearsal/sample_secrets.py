"""Sample content for the secrets that a local cloud needs: runtime configuration, and values of request headers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kaizen_tasks.domain.json_document import ConfigDocument
from kaizen_tasks.domain.json_pointer import pointer_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kaizen_tasks.config.settings import Settings
    from kaizen_tasks.domain.environment import Environment

SAMPLE_VALUE = "sample"


def sample_secrets(environment: Environment, settings: Settings) -> Mapping[str, str]:
    """Return the content of each secret of an environment, by the secret's name."""
    documents: dict[str, dict[str, Any]] = {}
    for header in settings.verify.headers.values():
        if header.secret:
            document = documents.setdefault(header.secret_name(environment.name, settings.app), {})
            _set_value(document, pointer_tokens(header.key))
    if settings.runtime.keys:
        values = {name: key.sample_value for name, key in settings.runtime.keys.items()}
        runtime_document = json.loads(ConfigDocument.empty().with_values(values).text)
        documents[environment.secret] = {**documents.get(environment.secret, {}), **runtime_document}
    return {name: json.dumps(document) for name, document in documents.items()}


def _set_value(document: dict[str, Any], names: tuple[str, ...]) -> None:
    """Put the sample at a path of names."""
    *parents, leaf = names or (SAMPLE_VALUE,)
    for name in parents:
        document = document.setdefault(name, {})
    document[leaf] = SAMPLE_VALUE
