"""What is asked before something is changed."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, cast

import pytest

from kaizen_tasks.cli import prompts
from kaizen_tasks.errors import Refused
from tests.fakes.tools import FakeTools

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.wiring import Toolbox


class Terminal(io.StringIO):
    """A terminal at which this is typed."""

    def isatty(self) -> bool:
        """Be a terminal."""
        return True


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that types at a terminal."""
    return lambda text: monkeypatch.setattr(sys, "stdin", Terminal(text))


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pipe in what would be the right answers: from a pipe they do not count."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("web\nyes\n"))
    monkeypatch.setattr(sys, "argv", ["inv"])


def confirm(name: str, *, yes: bool = False, dry: bool = False) -> None:
    """Ask before a stage is changed."""
    tools = cast("Toolbox", FakeTools(dry=dry))
    prompts.confirm_protected(tools.settings.stage(name).environments, tools, yes=yes)


@pytest.mark.parametrize(
    ("stage", "yes", "dry"), [("staging", False, False), ("prod", True, False), ("prod", False, True)]
)
def test_nothing_is_asked_if_unprotected_confirmed_or_dry(
    *, stage: str, yes: bool, dry: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    confirm(stage, dry=dry, yes=yes)

    assert capsys.readouterr() == ("", "")


def test_protected_environment_needs_a_terminal_or_yes() -> None:
    with pytest.raises(Refused, match="prod is protected, and there is no terminal to confirm on") as refused:
        confirm("prod")

    assert (refused.value.state, refused.value.hint) == ("nothing has been changed", "add --yes")


def test_app_name_confirms_a_protected_environment(
    type_in: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """The question goes to stderr, since stdout may be a document."""
    type_in(" web \n")

    confirm("prod")

    assert capsys.readouterr() == ("", "prod is protected. Type web to continue: ")


@pytest.mark.parametrize("answer", ["", "\n", "yes\n", "y\n", "Web\n", "webb\n"])
def test_other_answer_refuses_a_protected_environment(
    type_in: Callable[[str], None], answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_in(answer)

    monkeypatch.setattr(sys, "argv", ["inv", "promote-prod"])

    with pytest.raises(Refused, match="the answer was not web") as refused:
        confirm("prod")
    assert refused.value.hint == (
        "run the same command again and answer web; without a question: inv promote-prod --yes"
    )


@pytest.mark.parametrize("answer", ["y\n", "yes\n", "YES\n", " Y \n"])
def test_yes_confirms_a_question(
    type_in: Callable[[str], None], answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    type_in(answer)

    prompts.confirm_yes_no("create it", yes=False)

    assert capsys.readouterr().err == "create it? [y/N] "


@pytest.mark.parametrize("answer", ["", "\n", "n\n", "yeah\n", "web\n"])
def test_other_answer_refuses_a_question(type_in: Callable[[str], None], answer: str) -> None:
    type_in(answer)

    with pytest.raises(Refused, match="create it: the answer was no"):
        prompts.confirm_yes_no("create it", yes=False)


def test_question_needs_a_terminal_or_yes(capsys: pytest.CaptureFixture[str]) -> None:
    prompts.confirm_yes_no("create it", yes=True)
    with pytest.raises(Refused, match=r'^the question "create it\?" needs an answer, and there is no terminal'):
        prompts.confirm_yes_no("create it", yes=False)

    assert capsys.readouterr() == ("", "")


def test_end_of_input_at_a_terminal_ends_the_line_of_the_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    monkeypatch.setattr(sys, "stderr", Terminal())

    assert prompts.prompt_line("Name: ") == ""
    assert cast("Terminal", sys.stderr).getvalue() == "Name: \n"


@pytest.mark.parametrize(
    ("answer", "agrees"), [("y\n", True), ("yes\n", True), ("n\n", False), ("\n", False), ("", False)]
)
def test_only_yes_agrees(type_in: Callable[[str], None], answer: str, agrees: bool) -> None:
    type_in(answer)

    assert prompts.agrees("stop it?") is agrees


def test_ctrl_c_does_not_agree_and_without_a_terminal_nobody_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    without_terminal = prompts.agrees("stop it?")

    def interrupt(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Terminal(""))
    monkeypatch.setattr(prompts, "prompt_line", interrupt)

    assert (without_terminal, prompts.agrees("stop it?")) == (True, False)
