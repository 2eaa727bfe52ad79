"""`INVOKE_*` variables: booleans are understood, and a value that does not fit its key is a one-line error."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from invoke.config import Config

from kaizen_tasks.config import env_overrides, load

if TYPE_CHECKING:
    from pathlib import Path

TASKS_FILE = """\
from invoke import task
from kaizen_tasks import namespace

@task
def show(c):
    print(c.config.tag.sign, c.config.release.atomic, c.config.environments.prod.protected)

namespace.add_task(show)
"""
CONFIG_FILE = 'app = "web"\npipeline = ["prod"]\n[aws]\nregion = "eu-west-1"\n[environments.prod]\n'


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """Return the folder of an app with a task that shows its booleans."""
    (tmp_path / "tasks.py").write_text(TASKS_FILE, encoding="utf-8")
    (tmp_path / "kaizen.toml").write_text(CONFIG_FILE, encoding="utf-8")
    return tmp_path


def run(app: Path, module: str, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `inv` or `kaizen` with environment variables."""
    argv = (sys.executable, "-m", module, *words)
    return subprocess.run(argv, cwd=app, env={**os.environ, **variables}, capture_output=True, text=True, check=False)


@pytest.mark.integration
def test_inv_understands_boolean_variables(app: Path) -> None:
    """A key that the file does not set is a boolean all the same."""
    process = run(
        app,
        "invoke",
        "show",
        INVOKE_TAG_SIGN="True",
        INVOKE_RELEASE_ATOMIC="off",
        INVOKE_ENVIRONMENTS_PROD_PROTECTED="yes",
    )

    assert (process.returncode, process.stdout) == (0, "True False True\n"), process.stderr


@pytest.mark.integration
@pytest.mark.parametrize("module", ["invoke", "kaizen_tasks"])
def test_inv_and_kaizen_refuse_a_variable_that_is_no_boolean(app: Path, module: str) -> None:
    process = run(app, module, "--list", INVOKE_TAG_SIGN="maybe")

    message = "error: INVOKE_TAG_SIGN: 'maybe' should be true or false (or yes, no, on, off, 1, 0)\n"
    assert (process.returncode, process.stderr) == (2, message)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        *((text, True) for text in ("true", "TRUE", "Yes", "on", "1")),
        *((text, False) for text in ("false", "False", "NO", "off", "0", "")),
    ],
)
def test_a_boolean_variable_is_read_as_a_person_means_it(
    monkeypatch: pytest.MonkeyPatch, text: str, sign: bool
) -> None:
    monkeypatch.setenv("INVOKE_TAG_SIGN", text)
    table = load.with_defaults({})

    errors = env_overrides.prepare_variables(table, os.environ)
    config = Config(lazy=True)
    config.load_collection(table)
    config.load_shell_env()

    assert errors == ()
    assert config.tag.sign is sign


@pytest.mark.parametrize(
    ("variable", "text", "error"),
    [
        ("INVOKE_TAG_SIGN", "2", "'2' should be true or false (or yes, no, on, off, 1, 0)"),
        ("INVOKE_ENVIRONMENTS_PROD_PROTECTED", "y", "'y' should be true or false (or yes, no, on, off, 1, 0)"),
        ("INVOKE_VERIFY_MATCHES", "three", "'three' should be a whole number"),
        ("INVOKE_PIPELINE", "staging,prod", "a variable cannot hold a list; set it in the configuration file"),
    ],
)
def test_a_variable_that_does_not_fit_its_key_is_an_error(variable: str, text: str, error: str) -> None:
    table = load.with_defaults({"environments": {"prod": {}}})

    assert env_overrides.prepare_variables(table, {variable: text}) == (f"{variable}: {error}",)


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("INVOKE_AWS_PROFIL", "INVOKE_AWS_PROFILE"),
        ("INVOKE_AWS_PROFILE_NAME", "INVOKE_AWS_PROFILE"),
        ("INVOKE_AWSS_PROFILE", "INVOKE_AWS_PROFILE"),
        ("INVOKE_aws_profile", "INVOKE_AWS_PROFILE"),
        ("INVOKE_ENVIRONMENTS_PRDO_URL", "INVOKE_ENVIRONMENTS_PROD_URL"),
        ("INVOKE_ENVIRONMENT_PROD_URL", "INVOKE_ENVIRONMENTS_PROD_URL"),
        ("INVOKE_VERIFY_MATCH", "INVOKE_VERIFY_MATCHES"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_nearest_name(variable: str, nearest: str) -> None:
    table = load.with_defaults({"environments": {"prod": {}}})

    (message,) = env_overrides.misspelt_variables(table, {variable: "x"})

    assert message == f"{variable} overrides nothing; did you mean {nearest}?"
    assert env_overrides.prepare_variables(table, {variable: "x"}) == ()


@pytest.mark.integration
@pytest.mark.parametrize("module", ["invoke", "kaizen_tasks"])
def test_inv_and_kaizen_warn_once_of_a_misspelt_variable(app: Path, module: str) -> None:
    process = run(app, module, "--list", INVOKE_AWS_REGOIN="eu-west-2", INVOKE_RUN_ECO="1")

    warning = "warning: INVOKE_AWS_REGOIN overrides nothing; did you mean INVOKE_AWS_REGION?\n"
    assert (process.returncode, process.stderr) == (0, warning)


def test_other_variables_are_left_alone() -> None:
    environ = {"INVOKE_RUN_ECHO": "maybe", "INVOKE_SITE_THEME": "dark", "TAG_SIGN": "maybe", "INVOKE_DEBUG": "1"}
    table = load.with_defaults({"environments": {"prod": {}}})

    assert env_overrides.prepare_variables(table, dict(environ)) == ()
    assert [*env_overrides.misspelt_variables(table, environ)] == []


@pytest.mark.parametrize(
    "variable", ["INVOKE_BUILD_ARGS_BASE", "INVOKE_ENVIRONMENTS_ANN_URL", "INVOKE_VERIFY_HEADERS_TOKEN_ENV"]
)
def test_names_of_another_app_are_not_taken_for_misspelt_keys(variable: str) -> None:
    """As in a demo, which is started beside one app and runs another."""
    config = {"app": "", "build": {"version_arg": "VERSION", "args": {}}, "verify": {"path": "", "headers": {}}}

    assert [*env_overrides.misspelt_variables(config, {variable: "x"})] == []
