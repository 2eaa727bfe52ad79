"""Which tasks there are, for which configuration."""

from __future__ import annotations

import gc
import importlib
import inspect
import subprocess
import sys
from types import NoneType
from typing import TYPE_CHECKING, Any

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from kaizen_tasks import cli
from kaizen_tasks.cli import command, namespace
from kaizen_tasks.cli.flags import LETTERS
from kaizen_tasks.config import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from invoke.collection import Collection

WHOLE = """
app = "web"
pipeline = ["staging", "prod", "beta"]
[aws]
region = "eu-west-1"
[environments.staging]
[environments.prod]
[environments.mark]
[groups]
beta = ["mark"]
"""
RELEASE_SIDE = {"bump", "commit", "cut", "tag", "changelog.release", "changelog.check"}
DEPLOY_SIDE = {"build", "push", "deploy", "verify", "promote", "rollback", "hotfix", "status", "history", "setup"}
LACKING = """
from kaizen_tasks import namespace
for name in namespace.task_names:
    print(*(f"{name} --{each.name}" for each in namespace[name].get_arguments() if not each.help), end="")
"""
"""Prints every flag that has no help."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder, and type `inv --list`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "bin"), *sys.path])
    monkeypatch.setattr(sys, "argv", ["inv", "--list"])
    return tmp_path


def build(folder: Path, text: str) -> Collection:
    """Make the tasks of an app with this configuration."""
    (folder / "kaizen.toml").write_text(text, encoding="utf-8")
    return namespace.build_namespace(load.find_config_file())


def every_task(folder: Path) -> dict[str, Any]:
    """Return every task of an app that has all of them, by name."""
    made = build(folder, WHOLE)
    return {name: made[name] for name in made.task_names}


@pytest.mark.parametrize(
    ("argv", "warning"),
    [
        (
            ["inv", "--list"],
            "warning: kaizen.toml: Invalid value (at line 1, column 7); the tasks of its stages are not listed\n",
        ),
        (["inv", "status"], ""),
    ],
)
def test_list_warns_about_a_file_that_is_not_toml(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], argv: list[str], warning: str
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    build(folder, "app = \n")

    assert capsys.readouterr().err == warning


def test_library_has_no_deploy_tasks(folder: Path) -> None:
    version_file = '[[version_files]]\npath = "package.json"\nkey = "version"\n'
    release = f'[release]\nbranches = ["main"]\n[lines]\n"1.x" = "1.x"\n{version_file}'
    names = build(folder, f'app = "library"\n{release}').task_names

    assert names.keys() >= RELEASE_SIDE
    assert names.keys() & DEPLOY_SIDE == set()


def test_app_with_environments_has_release_and_deploy_tasks(folder: Path) -> None:
    """One of them for every stage of its pipeline."""
    names = every_task(folder).keys()

    assert names >= RELEASE_SIDE | DEPLOY_SIDE | {"release-staging", "promote-prod", "promote-beta"}
    assert names & {"release-prod", "promote-staging"} == set()


@pytest.mark.parametrize("text", ["app = \n", 'app = "web"\npipline = ["staging"]\n'])
def test_invalid_configuration_has_every_task(folder: Path, text: str) -> None:
    """Running one of them shows the error."""
    assert build(folder, text).task_names.keys() >= RELEASE_SIDE | DEPLOY_SIDE


@pytest.mark.parametrize("pipeline", ["3", '"staging"', "[3, true, '']", "{staging = 1}"])
def test_invalid_pipeline_does_not_break_the_list_of_tasks(folder: Path, pipeline: str) -> None:
    """Its error is shown when a task runs."""
    names = build(folder, f'app = "web"\npipeline = {pipeline}\n').task_names

    assert [name for name in names if name.startswith(("release-", "promote-"))] == []


def test_stage_task_that_the_pipeline_lacks_exists_when_it_is_typed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its error suggests the right stage; Invoke would only say "No idea what it is"."""
    monkeypatch.setattr(sys, "argv", ["inv", "promote-prd", "--yes", "release-stagin"])

    assert build(folder, WHOLE).task_names.keys() >= {"promote-prd", "release-stagin"}


@pytest.mark.parametrize("word", ["--release", "promote", "promote-", "unrelease-x", "release-$(x)"])
def test_other_words_of_the_command_line_do_not_become_tasks(
    folder: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    before = every_task(folder).keys()
    monkeypatch.setattr(sys, "argv", ["inv", "changelog.add", "--text", word])

    assert build(folder, WHOLE).task_names.keys() == before


def test_namespace_carries_the_configuration(folder: Path) -> None:
    """So that `invoke.yaml`, `inv -f` and `INVOKE_…` override it."""
    made = build(folder, f'{WHOLE}[environments.dom]\nurl = "https://dom.example"\n')

    configured = made.configuration()
    assert configured["app"] == "web"
    assert configured["environments"]["dom"]["url"] == "https://dom.example"
    assert configured["verify"]["matches"] == 3


def test_defaults_of_environments_are_invokes_only_when_a_variable_may_override_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invoke's time grows with the square of the number of keys."""
    text = WHOLE.replace("[environments.prod]", '[environments.prod]\nurl = "https://web.example"')
    without = build(folder, text).configuration()["environments"]
    monkeypatch.setenv("INVOKE_ENVIRONMENTS_PROD_PLATFORM", "ecs")
    with_variable = build(folder, text).configuration()["environments"]

    assert without == {"staging": {}, "prod": {"url": "https://web.example"}, "mark": {}}
    assert with_variable == load.with_defaults({"environments": without})["environments"]


def test_every_task_has_a_one_line_description(folder: Path) -> None:
    lines = {name: (inspect.getdoc(task) or "").partition("\n")[0] for name, task in every_task(folder).items()}

    assert {name for name, line in lines.items() if not (20 < len(line) <= 100 and line.endswith("."))} == set()


@pytest.mark.integration
def test_every_flag_of_every_task_has_help(folder: Path) -> None:
    """In a process of its own, since Invoke hands out each help text once."""
    (folder / "kaizen.toml").write_text(WHOLE, encoding="utf-8")
    asked = subprocess.run((sys.executable, "-c", LACKING), capture_output=True, text=True, check=False)

    assert (asked.stdout, asked.stderr) == ("", "")


def test_no_task_has_positional_arguments(folder: Path) -> None:
    """Invoke lets a missing one swallow `--dry`."""
    positional = {
        f"{name} {argument.name}"
        for name, task in every_task(folder).items()
        for argument in task.get_arguments()
        if argument.positional
    }

    assert positional == set()


def test_no_task_lets_invoke_parse_numbers(folder: Path) -> None:
    """An invalid number would be a traceback."""
    numbers = {
        f"{name} {argument.name}"
        for name, task in every_task(folder).items()
        for argument in task.get_arguments()
        if argument.kind in {int, float}
    }

    assert numbers == set()


def test_a_letter_means_the_same_flag_in_every_task(folder: Path) -> None:
    letters = {
        letter: argument.names[0]
        for task in every_task(folder).values()
        for argument in task.get_arguments()
        for letter in argument.names[1:]
    }
    flags = {argument.names for task in every_task(folder).values() for argument in task.get_arguments()}

    assert letters | {"w": "wait"} == {"e": "env", "r": "release", "y": "yes", "j": "json", "w": "wait"}
    assert {names for names in flags if names[0] in LETTERS} == {*LETTERS.items()}


def test_task_lists_fit_a_terminal_of_80_columns(folder: Path) -> None:
    """With the longest name of a task that every app has; the stages' own tasks have the names of stages."""
    tasks = every_task(folder)
    name_width = max(len(name) for name in tasks if not name.endswith(("-staging", "-prod", "-beta")))
    lines = {name: (inspect.getdoc(task) or "").partition("\n")[0] for name, task in tasks.items()}

    assert {name: line for name, line in lines.items() if len(line) > 80 - name_width - len("    ")} == {}


def test_namespace_is_built_for_the_current_configuration(folder: Path) -> None:
    first = build(folder, 'app = "library"\n').task_names.keys()

    assert every_task(folder).keys() > first


def test_stage_with_an_underscore_has_a_task_with_a_dash(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["inv", "release-my-env"])

    task = build(folder, 'app = "web"\npipeline = ["my_env"]\n[environments.my_env]\n')["release-my-env"]

    assert task.__doc__ == "Release to my_env: build, push, deploy, verify, tag."


def test_garbage_collector_runs_rarely_but_is_enabled() -> None:
    """A rollout of hundreds of environments still collects its garbage."""
    before = gc.get_threshold()
    gc.set_threshold(700)
    try:
        cli.make_namespace()
        assert gc.isenabled()
        assert gc.get_threshold()[0] == cli.GC_ALLOCATION_THRESHOLD
        assert gc.get_freeze_count() > 0
    finally:
        gc.set_threshold(*before)


@pytest.mark.parametrize(
    ("variable", "value", "fault"),
    [
        ("INVOKE_VERIFY_MATCHES", "three", "'three' should be a whole number"),
        ("INVOKE_PIPELINE", "staging,prod", "a variable cannot hold a list; set it in the configuration file"),
    ],
)
def test_invalid_environment_variable_is_a_usage_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, fault: str
) -> None:
    """Invoke applies it after the tasks are loaded, where nothing could catch the error."""
    monkeypatch.setenv(variable, value)

    with pytest.raises(Exit) as refused:
        build(folder, WHOLE)

    assert (refused.value.code, refused.value.message) == (2, f"error: {variable}: {fault}")


def test_valid_environment_variables_are_left_to_invoke(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVOKE_VERIFY_MATCHES", "5")
    monkeypatch.setenv("INVOKE_ENVIRONMENTS_PROD_URL", "https://other.example")
    assert build(folder, WHOLE).configuration()["verify"]["matches"] == 3


def handler_annotation(default: object) -> str:
    """Return the annotation that a handler needs for a flag with this default."""
    return {list: "list[str]", NoneType: "str | None"}.get(type(default), type(default).__name__)


def test_every_handler_takes_the_flags_of_its_task(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler is found by its name when the task runs, so no type checker compares the two."""
    tasks, called = every_task(folder), list[str]()

    def bind(module: ModuleType, handler: str, arguments: dict[str, object]) -> None:
        parameters = inspect.signature(getattr(module, handler))
        parameters.bind(Context(), **arguments)
        taken = {key: parameter.annotation for key, parameter in parameters.parameters.items() if key in arguments}
        assert taken == {key: handler_annotation(arguments[key]) for key in taken}, name
        called.append(name)

    class Handlers:
        def __init__(self, module_name: str) -> None:
            self._module = importlib.import_module(module_name)

        def __getattr__(self, handler: str) -> Callable[..., None]:
            return lambda _, **arguments: bind(self._module, handler, arguments)

    monkeypatch.setattr(command, "import_module", Handlers)
    for name, task in tasks.items():  # noqa: B007 - `bind` uses the name
        task.body(Context())

    assert called == list(tasks)


@pytest.mark.parametrize("stage", ["x.y", "a;id", "", "a b"])
def test_stage_whose_name_cannot_be_a_task_does_not_stop_the_list(folder: Path, stage: str) -> None:
    """A task that runs reports the name."""
    collection = build(folder, f'app = "web"\npipeline = ["staging", "{stage}"]\n')

    assert [name for name in collection.task_names if name.startswith(("release-", "promote-"))] == ["release-staging"]
