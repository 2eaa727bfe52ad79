"""The app's runtime configuration: rules for values, values as they may be shown, and changes."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.text.json_document import NUMBER_PATTERNS, ConfigDocument
from kaizen_tasks.domain.text.printable import printable
from kaizen_tasks.errors import NOTHING_CHANGED, UsageError

KEY_TYPES = ("number", "integer", "choice", "string")
REDACTED = "[redacted]"

MAX_DOCUMENT_BYTES = 64 * 1024
"""Maximum document size in bytes: https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html."""

MAX_DISPLAY_LENGTH = 200  # characters of a value that are shown


@frozen(kw_only=True)
class KeyRule:
    """The values that a key accepts.

    Attributes:
        type: `number`, `integer`, `choice` or `string`. Example: "number"
        min: the smallest value of a number; without it, there is no lower bound. Example: 0
        max: the largest value of a number; without it, there is no upper bound. Example: 2
        choices: the values of a choice, such as `["coach-small", "coach-large"]`.
    """

    type: str
    min: float | None = None
    max: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def sample_value(self) -> str:
        """A valid value, for examples and rehearsals."""
        if self.type == "choice":
            return self.choices[0]
        if self.type == "string":
            return "sample"
        minimum = max(self.min or 0, 0)
        return f"{minimum if self.max is None else min(minimum, self.max):g}"

    def validation_error(self, text: str) -> str:
        """Return what is wrong with a value, without quoting the value; empty when it is valid."""
        if self.type == "choice":
            return "" if text in self.choices else f"should be one of {', '.join(self.choices)}"
        if self.type in NUMBER_PATTERNS:
            return self._number_error(text)
        return "contains a NUL character" if "\0" in text else ""

    def _number_error(self, text: str) -> str:
        if not NUMBER_PATTERNS[self.type].fullmatch(text):
            return "should be a whole number" if self.type == "integer" else "should be a number, such as 0.4"
        if self.min is not None and float(text) < self.min:
            return f"is below {self.min:g}"
        if self.max is not None and float(text) > self.max:
            return f"is above {self.max:g}"
        return ""

    def means_same(self, first: str, second: str) -> bool:
        """Return whether two texts are the same value of this key's type."""
        pattern = NUMBER_PATTERNS.get(self.type)
        if pattern and pattern.fullmatch(first) and pattern.fullmatch(second):
            return float(first) == float(second)
        return first == second


@frozen(kw_only=True)
class RuntimeRules:
    """What these tasks may show and change of a runtime configuration.

    Attributes:
        visible: keys whose values may be shown.
        keys: rules of the keys that can be set, by name; other members of the document are kept.
    """

    visible: tuple[str, ...]
    keys: Mapping[str, KeyRule]

    def validate(self, name: str, text: str) -> None:
        """Require a valid value for a known key.

        Raises:
            UsageError: the key is unknown or the value invalid; the message does not quote the value.
        """
        if name not in self.keys:
            raise self._unknown_key_error(name)
        error = self.keys[name].validation_error(text)
        if not error and len(text.encode()) > MAX_DOCUMENT_BYTES:
            error = f"is longer than the {MAX_DOCUMENT_BYTES:,} bytes that a secret may have"
        if error:
            raise UsageError(f"{name}: the value {error}", state=NOTHING_CHANGED)

    def _unknown_key_error(self, name: str) -> UsageError:
        hint = f"known: {', '.join(self.keys)}"
        if not self.keys:
            hint = "no key is configured: add [runtime.keys.NAME] to kaizen.toml"
        for match in difflib.get_close_matches(name, self.keys, n=1):
            hint = f"did you mean {match}?"
        message = f"{printable(name[:MAX_DISPLAY_LENGTH])} is not in [runtime.keys]"
        return UsageError(message, state=NOTHING_CHANGED, hint=hint)

    def rule_for(self, name: str) -> KeyRule:
        """Return the rule of a key; a key without a rule accepts any text."""
        return self.keys.get(name, KeyRule(type="string"))

    def change(self, name: str, before: str | None, after: str | None) -> ValueChange:
        """Return the change of a value, with secret values redacted."""
        return ValueChange(name=name, before=self.display_value(name, before), after=self.display_value(name, after))

    def display_value(self, name: str, text: str | None) -> str:
        """Return a value if it may be shown, else a redacted text."""
        if text is None:
            return "unset"
        return printable(text[:MAX_DISPLAY_LENGTH]) if name in self.visible else REDACTED


@frozen(kw_only=True)
class ValueChange:
    """The change of one value.

    Attributes:
        name: the key's name.
        before: the old value, redacted if secret.
        after: the new value, redacted if secret.
    """

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.name} {self.before} → {self.after}"


def value_changes(document: ConfigDocument, values: Mapping[str, str], rules: RuntimeRules) -> tuple[ValueChange, ...]:
    """Return the changes to a document by setting values, with secrets redacted; equal values are left out."""
    return tuple(
        rules.change(name, before, after)
        for name, after in values.items()
        if (before := document.value(name)) is None or not rules.rule_for(name).means_same(before, after)
    )


def compare_documents(first: ConfigDocument, second: ConfigDocument, rules: RuntimeRules) -> Mapping[str, bool]:
    """Return, by name, whether two documents have the same value; the first document's names come first."""

    def is_equal(name: str) -> bool:
        first_value, second_value = first.value(name), second.value(name)
        if first_value is None or second_value is None:
            return False
        return rules.rule_for(name).means_same(first_value, second_value)

    return {name: is_equal(name) for name in dict.fromkeys((*first.names, *second.names))}


def revert_changes(current: ConfigDocument, previous: ConfigDocument, rules: RuntimeRules) -> tuple[ValueChange, ...]:
    """Return the changes that restoring an older document makes, with secrets redacted."""
    changed = (name for name, is_equal in compare_documents(current, previous, rules).items() if not is_equal)
    return tuple(rules.change(name, current.value(name), previous.value(name)) for name in changed)


@frozen(kw_only=True)
class RuntimeConfigView:
    """An environment's runtime configuration.

    Attributes:
        environment: the environment.
        version_id: identifier of the current version.
        written_at: when the current version was written, in UTC.
        document: the current version.
        previous_document: the previous version; None when there is none.
    """

    environment: Environment
    version_id: str
    written_at: datetime
    document: ConfigDocument
    previous_document: ConfigDocument | None

    def is_new(self, name: str) -> bool:
        """Return whether the value of a name differs from that in the previous version."""
        return self.previous_document is None or self.previous_document.value(name) != self.document.value(name)
