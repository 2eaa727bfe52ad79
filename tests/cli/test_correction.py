"""The command line that was probably meant."""

from __future__ import annotations

import pytest

from kaizen_tasks.cli.correction import corrected_line, program_name, typed_line


@pytest.mark.parametrize(
    ("typed", "wrong", "right", "corrected"),
    [
        ("inv deploy --env stagin", "stagin", ["staging"], "inv deploy --env staging"),
        ("inv deploy --env=stagin --yes", "stagin", ["staging"], "inv deploy --env=staging --yes"),
        ("inv deploy --env=a,b", "a,b", ["a", "--env", "b"], "inv deploy --env=a --env b"),
        ("inv bump --prat=x=y", "--prat", ["--part"], "inv bump --part=x=y"),
        ("inv promote-prdo", "prdo", ["prod"], "inv promote-prod"),
        ("kaizen stauts", "stauts", ["status"], "kaizen status"),
        ("/usr/bin/inv stauts", "stauts", ["status"], "inv status"),
        ("inv status", "elsewhere", ["status"], ""),
        ("inv stauts", "stauts", [], ""),
        ("inv runtime.set --env stagin --set KEY=private", "stagin", ["staging"], ""),
        ("inv run --env stagin -- psql private", "stagin", ["staging"], "inv run --env staging -- COMMAND"),
        ("inv run --env staging -- psql private", "private", ["public"], ""),
    ],
)
def test_wrong_word_is_replaced(typed: str, wrong: str, right: list[str], corrected: str) -> None:
    """Not on a line with a value of the runtime configuration, which may be a secret."""
    assert corrected_line(typed.split(), wrong, right) == corrected


def test_words_are_quoted_for_a_shell() -> None:
    argv = ["inv", "hold.add", "--reason", "a b", "--env", "stagin"]

    assert corrected_line(argv, "stagin", ["staging"]) == "inv hold.add --reason 'a b' --env staging"


def test_typed_line_gets_more_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/bin/inv", "promote-prod"])
    assert typed_line("--yes") == "inv promote-prod --yes"

    monkeypatch.setattr("sys.argv", ["inv", "runtime.set", "--set=KEY=private"])
    assert typed_line("--yes") == "add --yes"

    monkeypatch.setattr("sys.argv", ["inv", "run", "--env", "prod", "--", "psql", "private"])
    assert typed_line("--yes") == "add --yes before --"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v/bin/kaizen", "kaizen"),
        ("/v/kaizen_tasks/__main__.py", "kaizen"),
        ("/v/invoke/__main__.py", "inv"),
        ("invoke", "invoke"),
        ("/usr/bin/pytest", "inv"),
    ],
)
def test_program_is_named_as_it_was_typed(path: str, name: str) -> None:
    assert program_name([path]) == name
