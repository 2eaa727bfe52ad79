"""Which commands a release runs: those of its own commit, and what is said where they differ from those here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.domain.release import Release
from kaizen_tasks.domain.version import parse_version_file
from kaizen_tasks.errors import Refused
from kaizen_tasks.flows.commands.released import with_commands
from tests.fakes.tools import FakeTools, settings

if TYPE_CHECKING:
    from kaizen_tasks.domain.environment import Stage

RELEASE = Release(version=parse_version_file(b"0.2.0"), commit="c" * 40)
ADD = b'[[before_deploy]]\nname = "migrate"\ncommand = ["add"]\n'
UNREADABLE = "the commit of v0.2.0 cannot be read here, so the commands are those of the configuration here"
DROP = {"name": "migrate", "command": ["drop"]}


def make_tools(*rules: object, **changes: object) -> FakeTools:
    defaults = {"platform": "ecs-express"}
    return FakeTools(settings=settings(defaults=defaults, before_deploy=list(rules), **changes))


def planned(tools: FakeTools, stage: str, **files: bytes) -> dict[str, str]:
    """Return the commands of each environment of a stage, for a release whose commit has these files."""
    commit = tools.scm.commit({name.replace("_", "."): content for name, content in files.items()})
    return shown(with_commands(tools.settings.stage(stage), evolve(RELEASE, commit=commit), tools))


def shown(stage: Stage) -> dict[str, str]:
    return {member.name: ", ".join(map(str, member.before_deploy)) for member in stage.environments}


def test_commands_that_the_configuration_here_has_no_more_are_in_the_plan() -> None:
    tools = make_tools()

    assert planned(tools, "prod", kaizen_toml=ADD) == {"prod": "migrate (add)"}
    assert tools.reporter.lines == ["commands of v0.2.0, which differ from kaizen.toml here: migrate (add)"]


def test_same_commands_need_no_word() -> None:
    tools = make_tools({"name": "migrate", "command": ["add"]})

    assert planned(tools, "prod", kaizen_toml=ADD) == {"prod": "migrate (add)"}
    assert tools.reporter.lines == []


def test_configuration_may_be_in_pyproject() -> None:
    content = b"[[tool.kaizen.before_deploy]]\nname = 'migrate'\ncommand = ['add']\n"

    assert planned(make_tools(), "prod", pyproject_toml=content) == {"prod": "migrate (add)"}


def test_release_without_commands_says_that_those_here_do_not_run() -> None:
    tools = make_tools(DROP)

    planned(tools, "prod", kaizen_toml=b'app = "web"\n')

    assert tools.reporter.lines == ["v0.2.0 has no commands: those of kaizen.toml here are not its own, and do not run"]


def test_commit_that_is_not_in_this_clone_leaves_the_commands_configured_here() -> None:
    tools, without_commands = make_tools(DROP), make_tools()

    assert shown(with_commands(tools.settings.stage("prod"), RELEASE, tools)) == {"prod": "migrate (drop)"}
    assert shown(with_commands(without_commands.settings.stage("prod"), RELEASE, without_commands)) == {"prod": ""}
    assert tools.reporter.lines == [UNREADABLE]
    assert without_commands.reporter.lines == []


def test_app_outside_a_repository_has_the_commands_configured_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: str) -> None:
        raise Refused("/app is not in a git working tree")

    tools = make_tools(DROP)
    monkeypatch.setattr(tools.scm, "read_at", refuse)

    assert shown(with_commands(tools.settings.stage("prod"), RELEASE, tools)) == {"prod": "migrate (drop)"}
    assert tools.reporter.lines == [UNREADABLE]


def test_release_that_is_known_by_its_name_has_the_commit_of_its_tag() -> None:
    tools, named = make_tools(DROP), evolve(RELEASE, commit="")
    untagged = shown(with_commands(tools.settings.stage("prod"), named, tools))
    tools.scm.create_tag("v0.2.0", tools.scm.commit({"kaizen.toml": ADD}), message="v0.2.0")

    with_commands(tools.settings.stage("prod"), named, tools)

    assert untagged == {"prod": "migrate (drop)"}
    assert tools.reporter.lines == ["commands of v0.2.0, which differ from kaizen.toml here: migrate (add)"]


def test_group_has_the_members_of_today_and_a_removed_one_those_of_the_commit() -> None:
    content = ADD + b'environments = ["beta", "old"]\n[groups]\nbeta = ["mark"]\nold = ["prod"]\n'

    assert planned(make_tools(), "beta", kaizen_toml=content)["dom"] == "migrate (add)"
    assert planned(make_tools(), "prod", kaizen_toml=content) == {"prod": "migrate (add)"}
    assert planned(make_tools(), "staging", kaizen_toml=content) == {"staging": ""}


def test_environment_is_known_by_its_former_name() -> None:
    environments = {"staging": {}, "prod": {"formerly": ["live"]}, "mark": {}, "shane": {}, "dom": {}}
    tools = make_tools(environments=environments)

    assert planned(tools, "prod", kaizen_toml=ADD + b'environments = ["live"]\n') == {"prod": "migrate (add)"}


def test_unknown_keys_of_other_tables_are_of_another_version_and_do_not_matter() -> None:
    assert planned(make_tools(), "prod", kaizen_toml=ADD + b"[future]\nkey = 1\n") == {"prod": "migrate (add)"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (ADD + b"retries = 3\n", "kaizen.toml: before_deploy.0.retries: unknown key"),
        (ADD.replace(b'["add"]', b"[]"), "kaizen.toml: before_deploy.0.command: is empty"),
        (b"app = ", "kaizen.toml: Invalid value"),
    ],
)
def test_commands_that_this_version_does_not_understand_are_refused(content: bytes, problem: str) -> None:
    with pytest.raises(Refused) as refused:
        planned(make_tools(), "prod", kaizen_toml=content)

    assert refused.value.message.startswith(f"the commands of v0.2.0 cannot be read: {problem}")
    assert refused.value.hint == "use the version of kaizen_tasks that released it, or make a new release"
