"""What a configuration becomes, and how its problems are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.config import load, validate
from kaizen_tasks.domain.duration import ZERO_SECONDS, Seconds
from kaizen_tasks.domain.smoke import SmokeCheck, Statuses
from kaizen_tasks.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.config.settings import Settings

WHOLE = """
app = "web"
pipeline = ["staging", "prod", "beta"]
[aws]
region = "eu-west-1"
[defaults]
url = "https://{env}.example"
[environments.staging]
[environments.prod]
protected = true
repository = "legacy"
[environments.mark]
[environments.shane]
[groups]
beta = ["mark", "shane"]
[verify]
timeout = "1m30s"
"""


def read(folder: Path, text: str, file: str = "kaizen.toml") -> Settings:
    """Write a file and read it as the tasks do."""
    (folder / file).write_text(text, encoding="utf-8")
    found = load.read_config_file(folder)
    assert found is not None
    return validate.build_settings(found, load.with_defaults(found.table))


def problems(folder: Path, text: str) -> list[str]:
    """Return every problem of a file."""
    with pytest.raises(ConfigurationError) as refused:
        read(folder, text)
    assert refused.value.exit_code == 2
    return list(refused.value.problems)


def test_fills_environments_from_their_defaults(tmp_path: Path) -> None:
    """What an environment does not say is taken from `[defaults]`, with its name filled in."""
    settings = read(tmp_path, WHOLE)

    staging, prod = settings.environments["staging"], settings.environments["prod"]
    assert (staging.repository, staging.service) == ("staging-web-app", "staging-web-service")
    assert staging.url == "https://staging.example"
    assert not staging.protected
    assert (prod.repository, prod.service, prod.protected) == ("legacy", "prod-web-service", True)
    assert float(settings.verify.timeout) == 90


def test_reads_a_table_of_pyproject_as_well(tmp_path: Path) -> None:
    """`[tool.kaizen]` says the same as `kaizen.toml`."""
    assert read(tmp_path, '[tool.kaizen]\napp = "web"\n', "pyproject.toml").app == "web"


def test_an_app_alone_is_enough_for_the_release_side(tmp_path: Path) -> None:
    """Without environments nothing about AWS is asked for."""
    settings = read(tmp_path, 'app = "library"\n')

    assert settings.environments == {}
    with pytest.raises(UsageError):
        _ = settings.first_stage


def test_tells_every_problem_at_once_with_file_path_and_nearest_name(tmp_path: Path) -> None:
    """Three faults give three lines."""
    told = problems(tmp_path, 'app = "web"\npipline = []\n[verify]\nmatches = "3"\n[aws]\nacount = "1"\n')

    assert told == [
        "kaizen.toml: pipline: unknown key; did you mean 'pipeline'?",
        "kaizen.toml: aws.acount: unknown key; did you mean 'account'?",
        "kaizen.toml: verify.matches: '3' should be a whole number",
    ]


def test_wrong_types_do_not_hide_names_that_point_nowhere(tmp_path: Path) -> None:
    """A second run would be one too many."""
    text = WHOLE.replace('timeout = "1m30s"', 'matches = "3"').replace('"shane"]', '"don"]')

    assert problems(tmp_path, text) == [
        "kaizen.toml: verify.matches: '3' should be a whole number",
        "kaizen.toml: groups.beta.1: 'don' is not an environment; known: staging, prod, mark, shane",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("app = 3\n", "app: 3 should be text"),
        ("", "app: is missing: the app's name"),
        ('app = "x"\nenvironments = 3\n', "environments: should be a table"),
        ('app = "x"\n[groups]\nbeta = "mark"\n', "groups.beta: 'mark' should be a list"),
        ('app = "x"\n[[smoke]]\nstatus = 200\n', "smoke.0.path: is missing"),
        (
            'app = "x"\n[rollout]\nbake = "soon"\n',
            "rollout.bake: 'soon' is not a duration; write it like 30s, 5m or 1h30m",
        ),
        ('app = "x"\n[rollout]\nparallel = 0\n', "rollout.parallel: 0 is below 1"),
        ('app = "x"\n[build]\nengine = "dokcer"\n', "build.engine: 'dokcer' is not an engine; did you mean 'docker'?"),
        ('app = "x"\n[release]\ntag = "v1"\n', "release.tag: 'v1' does not contain {version}"),
        ('app = "x"\n[aws]\naccount = "12"\n', "aws.account: '12' is not a 12-digit account number"),
        (
            'app = "x"\n[release]\ntag = "v{version}-{date}"\n',
            "release.tag: 'v{version}-{date}' has a placeholder other",
        ),
        (
            'app = "x"\n[release]\ntag = "v{version}{"\n',
            "release.tag: 'v{version}{' has a placeholder other than {version}",
        ),
        ('app = "x"\n[verify]\npath = "version"\n', "verify.path: 'version' does not begin with /"),
        ('app = "x"\n[verify]\ntimeout = "0s"\n', "verify.timeout: leaves no time to ask"),
        ('app = "x"\n[[smoke]]\npath = "/"\n[[smoke]]\npath = ""\n', "smoke.1.path: '' does not begin with /"),
        ("app = 'x'\nsmoke = [3]\n", "smoke.0: should be a table"),
        ("app = 'x'\nsmoke = {path = '/'}\n", "smoke: {'path': '/'} should be a list"),
        ("app = 'x'\n[build]\nargs = {BASE = 3}\n", "build.args.BASE: 3 should be text"),
        ("app = 'x'\n[tag]\nsign = 'yes'\n", "tag.sign: 'yes' should be true or false"),
        ("app = 'x'\nrun = 3\n", "run: unknown key; did you mean 'runtime'?"),
    ],
)
def test_tells_what_does_not_fit(tmp_path: Path, text: str, told: str) -> None:
    """Wrong types and values are told with the place and what would fit."""
    assert any(problem.startswith(f"kaizen.toml: {told}") for problem in problems(tmp_path, text))


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ("statuss = 200", "statuss: unknown key; did you mean 'status'?"),
        ('method = "post"', "method: 'post' is not a method; did you mean 'POST'?"),
        ('method = "HEAD"\ncontains = "x"', "method: the answer to HEAD has no body that could be looked into"),
        ('body = "x"', 'body: GET sends none; write method = "POST"'),
        ("status = 99", "status: 99 is not the status of an answer"),
        ("status = []", "status: is an empty list"),
        ('status = "200"', "status: '200' should be a whole number"),
        ("status = [200, true]", "status: True should be a whole number"),
        ('timeout = "0s"', "timeout: leaves no time to ask"),
        ("timeout = 5", "timeout: 5 should be text"),
        ('json = {"$.a.b" = 1}', "json: '$.a.b' is not a JSON pointer; did you mean '/a/b'?"),
        ('json = {"status" = 1}', "json: 'status' is not a JSON pointer; did you mean '/status'?"),
        ('json = {"/a" = [1]}', "json./a: [1] should be text, a number, or true or false"),
        ('headers = {"X Y" = "1"}', "headers: 'X Y' is not the name of a header"),
        ('request_headers = {A = "s3cret\\n"}', "request_headers.A: has characters that a header cannot carry"),
    ],
)
def test_tells_what_is_wrong_with_a_smoke_check(tmp_path: Path, check: str, told: str) -> None:
    """Before anything is deployed that it would fail."""
    text = f'app = "x"\n[[smoke]]\npath = "/"\n[[smoke]]\npath = "/"\n{check}\n'

    assert problems(tmp_path, text) == [f"kaizen.toml: smoke.1.{told}"]


def test_reads_a_smoke_check(tmp_path: Path) -> None:
    """A status may be a list; a JSON value keeps its type."""
    text = 'app = "x"\n[[smoke]]\npath = "/"\nstatus = [200, 204]\njson = {"/ok" = true, "/n" = 1.5}\ntimeout = "3s"\n'

    (check,) = read(tmp_path, text).smoke
    assert check == SmokeCheck(path="/", status=Statuses((200, 204)), json={"/ok": True, "/n": 1.5}, timeout=Seconds(3))


def test_an_environment_may_want_older_evidence_than_the_others(tmp_path: Path) -> None:
    """What it does not say is taken from `[evidence]`."""
    text = WHOLE.replace("protected = true", 'min_age = "1d"') + '[evidence]\nmin_age = "1h"\n'

    found = read(tmp_path, text).environments
    assert (found["prod"].min_age, found["mark"].min_age) == (Seconds(86400), Seconds(3600))


def test_an_environment_may_want_no_age_at_all(tmp_path: Path) -> None:
    """Zero is an answer, unlike nothing."""
    text = WHOLE.replace("protected = true", 'min_age = "0s"') + '[evidence]\nmin_age = "1h"\n'

    assert read(tmp_path, text).environments["prod"].min_age == ZERO_SECONDS


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('["staging", "prod"', '["stagin", "prod"'), "pipeline.0: 'stagin' is neither an environment nor a group"),
        (
            ('["mark", "shane"]', '["mark", "shanne"]'),
            "groups.beta.1: 'shanne' is not an environment; did you mean 'shane'?",
        ),
        (('beta = ["mark", "shane"]', "beta = []"), "groups.beta: has no environments"),
        (("{env}.example", "{host}.example"), "environments.mark.url: 'https://{host}.example' has a placeholder"),
        (
            ("{env}.example", "{env.host}.example"),
            "environments.mark.url: 'https://{env.host}.example' has a placeholder",
        ),
        (
            ("https://{env}.example", "{env}.example"),
            "environments.mark.url: '{env}.example' begins with neither https://",
        ),
        (('["mark", "shane"]', '["mark", "mark"]'), "groups.beta.1: 'mark' stands there twice"),
        (('"legacy"', '"staging-web-app"'), "environments.prod.repository: "),
        (
            ('repository = "legacy"', 'service = "x"\n[environments.dom]\nservice = "x"'),
            "environments.dom.service: 'x' is",
        ),
        (('region = "eu-west-1"', ""), "aws.region: is missing"),
        (("protected = true", 'platform = "ecs"'), "environments.prod.platform: 'ecs' is not a platform"),
    ],
)
def test_tells_names_that_point_nowhere(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    """Dangling references are told with the nearest valid name."""
    assert any(problem.startswith(f"kaizen.toml: {told}") for problem in problems(tmp_path, WHOLE.replace(*change)))


def test_tells_where_a_file_is_not_toml(tmp_path: Path) -> None:
    """A syntax error has its line and column."""
    assert problems(tmp_path, "app = web\n") == ["kaizen.toml: Invalid value (at line 1, column 7)"]


def test_a_stage_of_the_pipeline_comes_after_the_one_before(tmp_path: Path) -> None:
    """An environment inside a group has the group's place."""
    settings = read(tmp_path, WHOLE)

    assert settings.stage_before(settings.stage("staging")) is None
    assert settings.stage_before(settings.stage("prod")) == settings.stage("staging")
    assert settings.stage_before(settings.stage("mark")) == settings.stage("prod")


def test_names_the_nearest_environment(tmp_path: Path) -> None:
    """A typo in `--env` is answered with what was probably meant."""
    with pytest.raises(UsageError) as refused:
        read(tmp_path, WHOLE).stage("stagging")

    assert refused.value.hint == "did you mean staging?"
