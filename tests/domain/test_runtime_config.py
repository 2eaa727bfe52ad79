"""Runtime configuration: valid values, changes, and values as they are shown."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain import runtime_config
from kaizen_tasks.domain.runtime_config import MAX_DOCUMENT_BYTES, KeyRule, RuntimeRules
from kaizen_tasks.domain.text.json_document import ConfigDocument
from kaizen_tasks.errors import UsageError

TEMPERATURE = KeyRule(type="number", min=0, max=2)
STRING = KeyRule(type="string")
MODEL = KeyRule(type="choice", choices=("small", "large"))
RULES = RuntimeRules(
    visible=("TEMPERATURE", "MODEL"),
    keys={
        "TEMPERATURE": TEMPERATURE,
        "MODEL": MODEL,
        "TOKEN": KeyRule(type="string"),
        "DELAY": KeyRule(type="integer", min=-5),
    },
)


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        (
            TEMPERATURE,
            ["0", "2", "0.4", "1e-3", "1.50"],
            ["", "2.1", "-0.1", ".5", "0,4", "nan", "inf", " 1", "1\n", "٣"],
        ),
        (KeyRule(type="integer", max=900), ["0", "-3", "900"], ["0.5", "1e3", "901", "007", "", "1_000", "٣"]),
        (MODEL, ["small"], ["", "Small", "medium"]),
        (STRING, ["", "any\nthing", "ünïcödé"], ["a\0b"]),
    ],
)
def test_value_must_match_the_type_of_its_key(key: KeyRule, good: list[str], bad: list[str]) -> None:
    assert [each for each in good if key.validation_error(each)] == []
    assert [each for each in bad if not key.validation_error(each)] == []


@pytest.mark.parametrize(
    "key", [TEMPERATURE, MODEL, STRING, KeyRule(type="integer", max=-4), KeyRule(type="number", min=3.5)]
)
def test_sample_value_is_valid(key: KeyRule) -> None:
    assert key.validation_error(key.sample_value) == ""


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("TEMPERATURE", "3", "TEMPERATURE: the value is above 2"),
        ("DELAY", "-6", "DELAY: the value is below -5"),
        ("DELAY", "0.5", "DELAY: the value should be a whole number"),
        ("MODEL", "hush", "MODEL: the value should be one of small, large"),
        (
            "TOKEN",
            "hush" * MAX_DOCUMENT_BYTES,
            "TOKEN: the value is longer than the 65,536 bytes that a secret may have",
        ),
        (
            "TOKEN",
            "ü" * (MAX_DOCUMENT_BYTES // 2 + 1),
            "TOKEN: the value is longer than the 65,536 bytes that a secret may have",
        ),
    ],
)
def test_invalid_value_is_refused_without_quoting_it(name: str, text: str, what: str) -> None:
    with pytest.raises(UsageError) as refused:
        RULES.validate(name, text)

    assert refused.value.message == what
    assert "hush" not in str(refused.value)


def test_unknown_key_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="TEMPERATUR is not in") as refused:
        RULES.validate("TEMPERATUR", "1")

    assert refused.value.hint == "did you mean TEMPERATURE?"


def test_unknown_key_without_any_rule_has_a_hint_how_to_add_one() -> None:
    with pytest.raises(UsageError) as refused:
        RuntimeRules(visible=(), keys={}).validate("KEY", "1")

    assert "add [runtime.keys.NAME]" in refused.value.hint


def test_changes_redact_secrets() -> None:
    configuration = ConfigDocument.parse('{"TEMPERATURE": 0.20, "TOKEN": "hush"}')

    found = runtime_config.value_changes(
        configuration, {"TEMPERATURE": "0.4", "TOKEN": "hush hush", "MODEL": "large"}, RULES
    )

    assert [str(each) for each in found] == [
        "TEMPERATURE 0.20 → 0.4",
        "TOKEN [redacted] → [redacted]",
        "MODEL unset → large",
    ]
    assert "hush" not in repr(found)


def test_equal_number_written_differently_is_not_a_change() -> None:
    configuration = ConfigDocument.parse('{"TEMPERATURE": "0.20", "TOKEN": "0.20"}')

    assert runtime_config.value_changes(configuration, {"TEMPERATURE": "0.2"}, RULES) == ()
    assert len(runtime_config.value_changes(configuration, {"TOKEN": "0.2"}, RULES)) == 1


def test_documents_are_compared_by_name() -> None:
    one = ConfigDocument.parse('{"TEMPERATURE": 0.2, "MODEL": "small", "TOKEN": "hush", "OTHER": 1}')
    other = ConfigDocument.parse('{"TEMPERATURE": "0.20", "MODEL": "large", "TOKEN": "hush", "MORE": 1}')

    assert runtime_config.compare_documents(one, other, RULES) == {
        "TEMPERATURE": True,
        "MODEL": False,
        "TOKEN": True,
        "OTHER": False,
        "MORE": False,
    }
    assert [str(each) for each in runtime_config.revert_changes(one, other, RULES)] == [
        "MODEL small → large",
        "OTHER [redacted] → unset",
        "MORE unset → [redacted]",
    ]


def test_displayed_value_is_short_and_has_no_control_characters() -> None:
    assert RULES.display_value("MODEL", "a\x1b[2Jb\nc") == "a?[2Jb?c"
    assert len(RULES.display_value("MODEL", "x" * 5000)) == runtime_config.MAX_DISPLAY_LENGTH
