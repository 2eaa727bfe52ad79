"""What is said and asked before the world is changed."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, cast

import pytest
from attrs import define

from kaizen_tasks.cli import prompts
from kaizen_tasks.errors import Denied, Refused, UsageError
from tests.fakes.tools import FakeTools, settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from kaizen_tasks.wiring import Toolbox


@define(kw_only=True)
class FakeToolbox(FakeTools):
    """A world that knows whether acts are only announced."""

    dry: bool = False


def toolbox(*, dry: bool = False) -> Toolbox:
    """Return a toolbox of fakes."""
    return cast("Toolbox", FakeToolbox(dry=dry))


class Terminal(io.StringIO):
    """Somebody who types this."""

    def isatty(self) -> bool:
        """Be a terminal."""
        return True


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what lets somebody type."""
    return lambda text: monkeypatch.setattr(sys, "stdin", Terminal(text))


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody be there, unless a test says so; and answering yes to a pipe is not an answer."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("web\nyes\n"))


def confirm(name: str, tools: Toolbox, *, yes: bool = False) -> None:
    """Ask before a stage is changed."""
    prompts.confirm_protected(tools.settings.stage(name).environments, tools, yes=yes)


@pytest.mark.parametrize(
    ("names", "stage", "environments"),
    [
        (["staging"], "staging", ["staging"]),
        (["beta"], "beta", ["mark", "shane", "dom"]),
        (["dom", "mark"], "dom mark", ["dom", "mark"]),
        (["mark", "beta", "mark"], "mark beta mark", ["mark", "shane", "dom"]),
    ],
)
def test_everything_that_is_named_becomes_one_stage(names: list[str], stage: str, environments: list[str]) -> None:
    """Each environment once, in the order in which they were named."""
    found = prompts.resolve_stage(names, settings())

    assert found.name == stage
    assert [environment.name for environment in found.environments] == environments


def test_asks_for_a_name_when_there_is_none() -> None:
    """Nothing is chosen for anybody."""
    with pytest.raises(UsageError, match="no environment is named") as refused:
        prompts.resolve_stage([], settings())

    assert refused.value.hint == "add --env with one of: staging, prod, mark, shane, dom, beta"


def test_every_name_must_be_known() -> None:
    """A typo among several stops all of them."""
    with pytest.raises(UsageError, match="'shne' is neither"):
        prompts.resolve_stage(["mark", "shne"], settings())


def test_a_single_environment_is_not_a_group() -> None:
    """Where one is wanted, the members are told."""
    assert prompts.resolve_environment("mark", settings()).name == "mark"
    with pytest.raises(UsageError, match="beta is a group") as refused:
        prompts.resolve_environment("beta", settings())
    with pytest.raises(UsageError, match="no environment is named"):
        prompts.resolve_environment("", settings())

    assert refused.value.hint == "name one of its environments: mark, shane, dom"


def test_only_the_first_stage_is_released_to() -> None:
    """The others are promoted to."""
    assert prompts.require_first_stage("staging", settings()).name == "staging"
    with pytest.raises(UsageError, match="prod is not the first stage of the pipeline") as refused:
        prompts.require_first_stage("prod", settings())

    assert refused.value.hint == "inv release-staging"


def test_says_app_release_environments_account_and_region() -> None:
    """Before anything happens."""
    tools = FakeToolbox()

    prompts.print_header("v1.2.3", tools.settings.stage("beta").environments, cast("Toolbox", tools))

    assert tools.reporter.lines == ["web v1.2.3 → mark, shane, dom   (account 123456789012, eu-west-1)"]


def test_announces_nothing_in_the_wrong_account() -> None:
    """The credentials are looked at first."""

    class Stranger:
        def account_id(self) -> str:
            raise Denied("these credentials are of 999999999999")

    tools = FakeToolbox(identity=Stranger())  # type: ignore[arg-type]

    with pytest.raises(Denied):
        prompts.print_header("v1.2.3", (), cast("Toolbox", tools))

    assert tools.reporter.lines == []


@pytest.mark.parametrize(
    ("stage", "yes", "dry"), [("staging", False, False), ("prod", True, False), ("prod", False, True)]
)
def test_nothing_is_asked_where_no_answer_is_needed(
    *, stage: str, yes: bool, dry: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unprotected, answered already, or nothing will change."""
    confirm(stage, toolbox(dry=dry), yes=yes)

    assert capsys.readouterr() == ("", "")


def test_a_protected_environment_is_not_changed_when_nobody_is_there() -> None:
    """What a pipe says is nobody's answer."""
    with pytest.raises(Refused, match="prod is protected, and nobody is here to ask") as refused:
        confirm("prod", toolbox())

    assert (refused.value.state, refused.value.hint) == ("nothing has been changed", "add --yes")


def test_goes_on_when_the_apps_name_is_typed(
    type_in: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """The question goes to stderr, since stdout may be a document."""
    type_in(" web \n")

    confirm("prod", toolbox())

    assert capsys.readouterr() == ("", "prod is protected. Type web to go on: ")


@pytest.mark.parametrize("answer", ["", "\n", "yes\n", "y\n", "Web\n", "webb\n"])
def test_any_other_answer_is_a_refusal(type_in: Callable[[str], None], answer: str) -> None:
    """A habit of typing `y` does not change production."""
    type_in(answer)

    with pytest.raises(Refused, match="the answer was another one"):
        confirm("prod", toolbox())


@pytest.mark.parametrize("answer", ["y\n", "yes\n", "YES\n", " Y \n"])
def test_a_plain_question_takes_a_plain_yes(
    type_in: Callable[[str], None], answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """For what is not protected."""
    type_in(answer)

    prompts.confirm_yes_no("create it", yes=False)

    assert capsys.readouterr().err == "create it? [y/N] "


@pytest.mark.parametrize("answer", ["", "\n", "n\n", "yeah\n", "web\n"])
def test_anything_but_yes_is_no(type_in: Callable[[str], None], answer: str) -> None:
    """Closing the terminal too."""
    type_in(answer)

    with pytest.raises(Refused, match="create it: the answer was no"):
        prompts.confirm_yes_no("create it", yes=False)


def test_a_plain_question_is_not_asked_of_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """But it can be answered beforehand."""
    prompts.confirm_yes_no("create it", yes=True)
    with pytest.raises(Refused, match="create it: nobody is here to ask"):
        prompts.confirm_yes_no("create it", yes=False)

    assert capsys.readouterr() == ("", "")


def test_a_shard_is_said_with_its_environments() -> None:
    """Whoever reads the log of one machine of many sees which part it has."""
    tools = toolbox()

    taken = prompts.select_shard(tools.settings.stage("beta"), prompts.parse_optional_shard("2/2"), tools)

    assert [each.name for each in taken.environments] == ["shane", "dom"]
    assert cast("FakeToolbox", tools).reporter.lines == ["shard 2/2 of beta (2 of 3 environments): shane, dom"]


def test_an_empty_shard_says_so() -> None:
    """There are more machines than environments."""
    tools = toolbox()

    assert (
        prompts.select_shard(tools.settings.stage("prod"), prompts.parse_optional_shard("1/2"), tools).environments
        == ()
    )
    said = ["shard 1/2 of prod (0 of 1 environments): none, so there is nothing to do"]
    assert cast("FakeToolbox", tools).reporter.lines == said


def test_without_a_shard_the_whole_stage_is_meant() -> None:
    """And nothing is said."""
    tools = toolbox()

    assert prompts.select_shard(
        tools.settings.stage("beta"), prompts.parse_optional_shard(None), tools
    ) == tools.settings.stage("beta")
    assert cast("FakeToolbox", tools).reporter.lines == []


def test_an_empty_shard_flag_does_not_mean_everything() -> None:
    """`--shard "$SHARD"` of a CI job that lacks the variable."""
    with pytest.raises(UsageError, match="expected INDEX/COUNT"):
        prompts.parse_optional_shard("")


@pytest.mark.parametrize(
    ("typed", "reason"), [(None, ""), ("the login is down", "the login is down"), (" two\nlines ", "two lines")]
)
def test_a_reason_is_one_line(typed: str | None, reason: str) -> None:
    """It goes into a table."""
    assert prompts.parse_reason("--without-evidence", typed) == reason


@pytest.mark.parametrize("typed", ["", "  ", "--yes", "-y"])
def test_refuses_what_is_no_reason(typed: str) -> None:
    """Invoke takes the next flag for it when there is none, `--dry` too."""
    with pytest.raises(UsageError, match=r"--without-evidence.*: is no reason"):
        prompts.parse_reason("--without-evidence", typed)


@pytest.mark.parametrize("typed", ["0", "1001", "-1", "1.5", "x", "", "²", "9" * 5000])
def test_a_number_that_is_none_is_told_and_no_traceback(typed: str) -> None:
    """Invoke would convert it while it parses, where nobody could catch anything."""
    with pytest.raises(UsageError, match=r"--limit .*: is not a whole number from 1 to 1000"):
        prompts.parse_number("--limit", typed, minimum=1, maximum=1000)


@pytest.mark.parametrize("typed", ["1", "20", "1000"])
def test_a_number_is_read(typed: str) -> None:
    assert prompts.parse_number("--limit", typed, minimum=1, maximum=1000) == int(typed)
