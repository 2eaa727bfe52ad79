"""Stand-in images: for rehearsals where the app's own image cannot be built, they answer as the app should.

A local cloud answers for them with what their labels say. No other registry is sent such an image, and one that is
found there is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kaizen_tasks.domain.text.json_pointer import pointer_tokens

if TYPE_CHECKING:
    from kaizen_tasks.domain.health import VersionFormat
    from kaizen_tasks.domain.smoke import SmokeCheck

STAND_IN = "stand-in"
"""The engine that makes these images, and the value of their label `dev.kaizen.image`."""

KIND_LABEL = "dev.kaizen.image"
ANSWERS_LABEL = "dev.kaizen.stand-in.answers"
VERSION_PLACEHOLDER, ENVIRONMENT_PLACEHOLDER = "{version}", "{environment}"
"""What the local cloud replaces in the bodies, by the image's version and the instance's variable `ENVIRONMENT`."""


def labels(version_path: str, version_format: VersionFormat, smoke_checks: Iterable[SmokeCheck]) -> dict[str, str]:
    """Return the labels of a stand-in image: its kind, and its answers as JSON, by method and path."""
    answers = {f"GET {_path(version_path)}": _version_answer(version_format)}
    for check in smoke_checks:
        _add_expectations(answers.setdefault(f"{check.method} {_path(check.path)}", {}), check)
    for answer in answers.values():
        _put_text_into_json(answer)
    return {KIND_LABEL: STAND_IN, ANSWERS_LABEL: json.dumps(answers, sort_keys=True)}


def _path(target: str) -> str:
    return target.partition("?")[0]


def _version_answer(version_format: VersionFormat) -> dict[str, Any]:
    """Return an answer with the version; a document that is no object is the version alone."""
    if version_format.format == "text":
        return {"text": VERSION_PLACEHOLDER}
    answer: dict[str, Any] = {"json": {}}
    _set_value(answer, version_format.version, VERSION_PLACEHOLDER)
    if version_format.environment:
        _set_value(answer, version_format.environment, ENVIRONMENT_PLACEHOLDER)
    return answer


def _add_expectations(answer: dict[str, Any], check: SmokeCheck) -> None:
    """Let an answer pass a check too, with what it has for other checks of the same request."""
    answer.setdefault("status", check.status[0])
    if check.headers:
        answer["headers"] = {**answer.get("headers", {}), **check.headers}
    if check.contains:
        answer["text"] = " ".join(filter(None, (answer.get("text", ""), check.contains)))
    for pointer, value in check.json.items():
        _set_value(answer, pointer, value)


def _put_text_into_json(answer: dict[str, Any]) -> None:
    """Let an answer with JSON have its text in there: a member more does no harm."""
    if "text" in answer and isinstance(answer.get("json"), dict):
        answer["json"].setdefault("text", answer.pop("text"))


def _set_value(answer: dict[str, Any], pointer: str, value: object) -> None:
    """Set a value in the JSON of an answer; what is in the way of its parents is replaced."""
    key: str = "json"
    parent: dict[str, Any] = answer
    for name in pointer_tokens(pointer):
        if not isinstance(parent.get(key), dict):
            parent[key] = {}
        parent, key = parent[key], name
    parent[key] = value
