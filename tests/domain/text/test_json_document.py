"""Runtime configuration documents."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaizen_tasks.domain.text.json_document import ConfigDocument

WRITTEN = (
    '{ "AI_TEMPERATURE":0.20,\n "AI_MODEL" : "small", "LIMITS": {"a": [1.10, null]}, "BIG": 12345678901234567890.10 }'
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def test_values_are_text_or_json() -> None:
    configuration = ConfigDocument.parse(WRITTEN)

    assert configuration.names == ("AI_TEMPERATURE", "AI_MODEL", "LIMITS", "BIG")
    assert configuration.value("AI_MODEL") == "small"
    assert configuration.value("AI_TEMPERATURE") == "0.20"
    assert configuration.value("MISSING") is None


def test_unchanged_members_keep_their_text() -> None:
    replaced = ConfigDocument.parse(WRITTEN).with_values({"AI_MODEL": 'la"rge', "NEW": "1"})

    assert replaced.text == (
        '{"AI_TEMPERATURE": 0.20, "AI_MODEL": "la\\"rge", "LIMITS": {"a": [1.10, null]}, '
        '"BIG": 12345678901234567890.10, "NEW": "1"}'
    )


def test_changed_number_stays_a_number_and_text_stays_text() -> None:
    configuration = ConfigDocument.parse('{"number": 0.2, "text": "0.2", "flag": true}')

    replaced = configuration.with_values({"number": "0.4", "text": "0.4", "flag": "1"})

    assert json.loads(replaced.text) == {"number": 0.4, "text": "0.4", "flag": "1"}


@pytest.mark.parametrize("text", ["", "hush", "[]", '"hush"', '{"key": hush}', "[" * 100_000])
def test_document_that_is_not_an_object_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"^it is not a JSON object$") as refused:
        ConfigDocument.parse(text)

    assert refused.value.__cause__ is None


def test_document_has_no_values_in_its_repr() -> None:
    assert "small" not in repr(ConfigDocument.parse(WRITTEN))


@given(st.dictionaries(st.text(), VALUES), st.sampled_from([None, 2]))
def test_any_document_is_written_back_equal(document: dict[str, object], indent: int | None) -> None:
    read = ConfigDocument.parse(json.dumps(document, indent=indent))

    assert json.loads(read.text) == document
    assert json.loads(read.with_values({"key": "ü"}).text) == {**document, "key": "ü"}
