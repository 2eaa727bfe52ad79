"""What a configuration becomes, and how its problems are reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.config import load, validate
from kaizen_tasks.domain.aws_target import AwsTarget
from kaizen_tasks.domain.line import Line
from kaizen_tasks.domain.smoke import SmokeCheck, Statuses
from kaizen_tasks.domain.text.duration import ZERO_SECONDS, Seconds
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
    config_file = load.read_config_file(folder)
    assert config_file is not None
    return validate.build_settings(config_file, load.with_defaults(config_file.table))


def problems(folder: Path, text: str) -> list[str]:
    """Return every problem of a file."""
    with pytest.raises(ConfigurationError) as refused:
        read(folder, text)
    assert refused.value.exit_code == 2
    return list(refused.value.problems)


def test_value_from_a_variable_is_reported_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file may be right."""
    (tmp_path / "kaizen.toml").write_text('app = "web"\n[verify]\ntimeout = "soon"\n', encoding="utf-8")
    monkeypatch.setenv("INVOKE_VERIFY_INTERVAL", "banana")
    config_file = load.read_config_file(tmp_path)
    assert config_file is not None
    merged_table = load.with_defaults(config_file.table)
    merged_table["verify"]["interval"] = "banana"

    with pytest.raises(ConfigurationError) as refused:
        validate.build_settings(config_file, merged_table)

    assert [problem.split(";")[0].split(": ")[:2] for problem in sorted(refused.value.problems)] == [
        ["INVOKE_VERIFY_INTERVAL", "'banana' is not a duration"],
        ["kaizen.toml", "verify.timeout"],
    ]


def test_environments_inherit_from_defaults(tmp_path: Path) -> None:
    """A missing key is taken from `[defaults]`, with the environment's name filled in."""
    settings = read(tmp_path, WHOLE)

    staging, prod = settings.environments["staging"], settings.environments["prod"]
    assert (staging.repository, staging.service) == ("staging-web-app", "staging-web-service")
    assert staging.url == "https://staging.example"
    assert not staging.protected
    assert (prod.repository, prod.service, prod.protected) == ("legacy", "prod-web-service", True)
    assert float(settings.verify.timeout) == 90


def test_a_table_of_pyproject_is_a_configuration(tmp_path: Path) -> None:
    """`[tool.kaizen]` has the keys of `kaizen.toml`."""
    assert read(tmp_path, '[tool.kaizen]\napp = "web"\n', "pyproject.toml").app == "web"


def test_an_app_alone_is_enough_for_the_release_side(tmp_path: Path) -> None:
    """Without environments, `[aws]` is not required."""
    settings = read(tmp_path, 'app = "library"\n')

    assert settings.environments == {}
    with pytest.raises(UsageError):
        _ = settings.first_stage


def test_every_problem_is_reported_at_once_with_file_path_and_nearest_name(tmp_path: Path) -> None:
    """Three problems give three lines."""
    expected = problems(tmp_path, 'app = "web"\npipline = []\n[verify]\nmatches = "3"\n[aws]\nacount = "1"\n')

    assert expected == [
        "kaizen.toml: pipline: unknown key; did you mean 'pipeline'?",
        "kaizen.toml: aws.acount: unknown key; did you mean 'account'?",
        "kaizen.toml: verify.matches should be a whole number, not text; leave out the quotes",
    ]


def test_wrong_types_do_not_hide_unknown_names(tmp_path: Path) -> None:
    """Both are reported by the first run."""
    text = WHOLE.replace('timeout = "1m30s"', 'matches = "3"').replace('"shane"]', '"don"]')

    assert problems(tmp_path, text) == [
        "kaizen.toml: verify.matches should be a whole number, not text; leave out the quotes",
        "kaizen.toml: groups.beta: 'don' is not an environment; known: staging, prod, mark, shane",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("app = 3\n", "app should be text, not a number; put it in quotes"),
        ("", "app is missing (the app's name)"),
        ('app = "x"\nenvironments = 3\n', "environments should be a table, not a number"),
        ('app = "x"\n[groups]\nbeta = "mark"\n', "groups.beta should be a list, not text; put it in brackets"),
        ('app = "x"\n[[smoke]]\nstatus = 200\n', "smoke[1 of 1].path is missing"),
        (
            'app = "x"\n[rollout]\nbake = "soon"\n',
            "rollout.bake: 'soon' is not a duration; write it like 30s, 5m or 1h30m",
        ),
        ('app = "x"\n[rollout]\nparallel = 0\n', "rollout.parallel: 0 is below 1"),
        (
            'app = "x"\n[verify]\nversion = "$.build.tag"\n',
            "verify.version: '$.build.tag' is not a JSON pointer; did you mean '/build/tag'?",
        ),
        ('app = "x"\n[verify]\nenvironment = true\n', "verify.environment should be text, not true; put it in quotes"),
        ('app = "x"\n[verify]\nformat = "txt"\n', "verify.format: 'txt' is not a format; did you mean 'text'?"),
        (
            'app = "x"\n[verify.headers.Authorization]\n',
            "verify.headers.Authorization is empty: env or secret says where the value is",
        ),
        (
            'app = "x"\n[verify.headers]\nAuthorization = "hush"\n',
            'verify.headers.Authorization: should say where the value is, such as { env = "PROBE_TOKEN" }',
        ),
        (
            'app = "x"\n[verify.headers."X Y"]\nenv = "TOKEN"\n',
            "verify.headers: 'X Y' is not the name of a header",
        ),
        (
            'app = "x"\n[verify.headers.X]\nenv = "$TOKEN"\n',
            "verify.headers.X.env: '$TOKEN' is not the name of a variable",
        ),
        (
            'app = "x"\n[verify.headers.X]\nsecret = "{stage}-probe"\n',
            "verify.headers.X.secret: '{stage}-probe' has a placeholder other than {env} and {app}",
        ),
        (
            'app = "x"\n[verify.headers.X]\nsecret = "a b"\n',
            "verify.headers.X.secret: 'a b' is not the name of a secret: letters, digits and /_+=.@-",
        ),
        (
            'app = "x"\n[verify.headers.X]\nsecret = "a"\nkey = "TOKEN"\n',
            "verify.headers.X.key: 'TOKEN' is not a JSON pointer; did you mean '/TOKEN'?",
        ),
        (
            'app = "x"\n[verify.headers.X]\nenv = "A"\nprefix = "a\\nb"\n',
            "verify.headers.X.prefix has characters that a header cannot have",
        ),
        ('app = "x"\n[build]\nengine = "dokcer"\n', "build.engine: 'dokcer' is not an engine; did you mean 'docker'?"),
        ('app = "x"\n[release]\ntag = "v1"\n', "release.tag: 'v1' does not contain {version}"),
        (
            'app = "x"\n[release]\nbump = "strcit"\n',
            "release.bump: 'strcit' is neither a table of types nor a rule; did you mean 'strict'?",
        ),
        (
            'app = "x"\n[release.bump]\nChanged = "pach"\n',
            "release.bump: Changed = 'pach' is not a part of the version; did you mean",
        ),
        ('app = "x"\n[release.bump]\nChanged = 1\n', "release.bump should be text, not a number; put it in quotes"),
        ('app = "x"\n[release]\nmessage = "\\n\\n"\n', r"release.message: '\n\n' has no subject in its first line"),
        (
            'app = "x"\n[release]\nmessage = "Release {notes}"\n',
            "release.message: 'Release {notes}' has {notes} in its first line; put it below",
        ),
        (
            'app = "x"\n[release]\nmessage = "Release {vers}"\n',
            "release.message: 'vers' is not a placeholder (known: {version}, {tag}, {n",
        ),
        ('app = "x"\n[release]\nmessage = "Release {"\n', "release.message: 'Release {' is not a placeholder"),
        (
            'app = "x"\n[tag]\nmessage = "{app} {day}"\n',
            "tag.message: 'day' is not a placeholder (known: {app}, {version}",
        ),
        (
            'app = "x"\n[release]\ntimezone = "Europe/Berln"\n',
            "release.timezone: 'Europe/Berln' is not a time zone; did you mean 'Europe/Berlin'?",
        ),
        ('app = "x"\n[release]\ntimezone = "../etc"\n', "release.timezone: '../etc' is not a time zone"),
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
        ('app = "x"\n[verify]\ntimeout = "0s"\n', "verify.timeout: leaves no time for a request"),
        ('app = "x"\n[[smoke]]\npath = "/"\n[[smoke]]\npath = ""\n', "smoke[2 of 2].path: '' does not begin with /"),
        ("app = 'x'\nsmoke = [3]\n", "smoke[1 of 1] should be a table, not a number"),
        (
            "app = 'x'\nsmoke = {path = '/'}\n",
            "smoke should be a list of tables: write [[smoke]], with two brackets, above each",
        ),
        ("app = 'x'\n[build]\nargs = {BASE = 3}\n", "build.args.BASE should be text, not a number; put it in quotes"),
        ("app = 'x'\n[tag]\nsign = 'yes'\n", "tag.sign should be true or false, not text"),
        ("app = 'x'\n[tag]\nsign = 'true'\n", "tag.sign should be true or false, not text; leave out the quotes"),
        ("app = 'x'\n[tag]\nsign = 1\n", "tag.sign should be true or false, not a number"),
        ("app = true\n", "app should be text, not true; put it in quotes"),
        ("app = ['x']\n", "app should be text, not a list"),
        ("app = 'x'\n[aws]\naccount = 123456789012\n", "aws.account should be text, not a number; put it in quotes"),
        ("app = 'x'\n[aws]\naccount = '12345'\n", "aws.account: '12345' is not a 12-digit account number"),
        (
            "app = 'x'\n[verify]\ntimeout = 300\n",
            'verify.timeout should be a duration such as "5m" or "300s", not a number',
        ),
        (
            "app = 'x'\n[environments.prod]\nmin_age = ['1d']\n",
            'environments.prod.min_age should be a duration such as "5m" or "300s", not a list',
        ),
        ("app = 'x'\n[rollout]\nparallel = 0\n", "rollout.parallel: 0 is below 1"),
        ("app = 'x'\n[rollout]\ncanary = 1.5\n", "rollout.canary should be a whole number, not a decimal number"),
        ("app = 'x'\n[rollout]\ncanary = true\n", "rollout.canary should be a whole number, not true"),
        ("app = 'x'\n[build]\nengine = 'dokcer'\n", "build.engine: 'dokcer' is not an engine; did you mean 'docker'?"),
        (
            "app = 'x'\n[defaults]\nplatform = 'nomad'\n",
            "defaults.platform: 'nomad' is not a platform; known: apprunner, ecs-express, ecs",
        ),
        (
            "app = 'x'\n[[docs_checklist]]\nwhen = ['a']\nupdate = 'b'\n",
            "docs_checklist[1 of 1].update should be a list, not text; put it in brackets",
        ),
        (
            "app = 'x'\n[[version_files]]\npath = 'package.json'\n",
            'version_files[1 of 1] has neither key nor pattern: where is the version? As in key = "version"',
        ),
        (
            "app = 'x'\n[[version_files]]\npath = 'package.json'\nkey = 'version'\npattern = '{version}'\n",
            "version_files[1 of 1] has both key and pattern: one of them says where the version is",
        ),
        (
            "app = 'x'\n[[version_files]]\npath = 'README.md'\nkey = 'version'\n",
            "version_files[1 of 1].key: 'README.md' is none of the files with keys (.cfg, .ini, .json,",
        ),
        (
            "app = 'x'\n[[version_files]]\npath = 'README.md'\npattern = 'v1.2.3'\n",
            "version_files[1 of 1].pattern: 'v1.2.3' does not contain {version} exactly once",
        ),
        (
            "app = 'x'\n[[version_files]]\npath = 'VERSION'\npattern = '{version}'\n",
            "version_files[1 of 1].path: 'VERSION' is changed by every release already",
        ),
        (
            "app = 'x'\n[[version_files]]\npath = '../package.json'\nkey = 'version'\n",
            "version_files[1 of 1].path: '../package.json' is not a path inside the app's folder",
        ),
        (
            "app = 'x'\n[[version_files]]\npath = '*.json'\nkey = 'version'\n",
            "version_files[1 of 1].path: '*.json' is a pattern, not a path: name each file",
        ),
        (
            "app = 'x'\n[[version_files]]\npath = 'a.json'\nkey = 'version'\nspelling = 'pep-440'\n",
            "version_files[1 of 1].spelling: 'pep-440' is not a spelling; did you mean 'pep440'?",
        ),
        ("app = 'x'\n[changelog]\nfile = './CHANGES.md'\n", "changelog.file: './CHANGES.md' is written 'CHANGES.md'"),
        ("app = 'x'\n[changelog]\nfile = 'docs/'\n", "changelog.file: 'docs/' is not the path of a file"),
        ("app = 'x'\nrun = 3\n", "run: unknown key; did you mean 'runtime'?"),
    ],
)
def test_a_wrong_value_is_reported_with_its_path_and_what_would_fit(tmp_path: Path, text: str, expected: str) -> None:
    assert any(problem.startswith(f"kaizen.toml: {expected}") for problem in problems(tmp_path, text))


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        ("statuss = 200", "statuss: unknown key; did you mean 'status'?"),
        ('method = "post"', "method: 'post' is not a method; did you mean 'POST'?"),
        ('method = "HEAD"\ncontains = "x"', "method: the answer to HEAD has no body to check"),
        ('body = "x"', 'body: GET sends no body; write method = "POST"'),
        ("status = 99", "status: 99 is not an HTTP status of an answer"),
        ("status = []", "status is an empty list"),
        ('status = "200"', "status should be a whole number, not text; leave out the quotes"),
        ("status = [200, true]", "status should be a whole number, not true"),
        ('timeout = "0s"', "timeout: leaves no time for a request"),
        ("timeout = 5", 'timeout should be a duration such as "5m" or "300s", not a number'),
        ('json = {"$.a.b" = 1}', "json: '$.a.b' is not a JSON pointer; did you mean '/a/b'?"),
        ('json = {"status" = 1}', "json: 'status' is not a JSON pointer; did you mean '/status'?"),
        ('json = {"/a" = [1]}', "json./a should be text, a number, or true or false, not a list"),
        ('headers = {"X Y" = "1"}', "headers: 'X Y' is not the name of a header"),
        ('request_headers = {A = "s3cret\\n"}', "request_headers.A has characters that a header cannot have"),
    ],
)
def test_an_impossible_smoke_check_is_reported(tmp_path: Path, check: str, expected: str) -> None:
    """It would fail every deployment."""
    text = f'app = "x"\n[[smoke]]\npath = "/"\n[[smoke]]\npath = "/"\n{check}\n'

    assert problems(tmp_path, text) == [f"kaizen.toml: smoke[2 of 2].{expected}"]


def test_a_smoke_check_takes_a_list_of_statuses_and_typed_json(tmp_path: Path) -> None:
    text = 'app = "x"\n[[smoke]]\npath = "/"\nstatus = [200, 204]\njson = {"/ok" = true, "/n" = 1.5}\ntimeout = "3s"\n'

    (check,) = read(tmp_path, text).smoke
    assert check == SmokeCheck(path="/", status=Statuses((200, 204)), json={"/ok": True, "/n": 1.5}, timeout=Seconds(3))


def test_min_age_of_an_environment_overrides_that_of_evidence(tmp_path: Path) -> None:
    text = WHOLE.replace("protected = true", 'min_age = "1d"') + '[evidence]\nmin_age = "1h"\n'

    environments = read(tmp_path, text).environments
    assert (environments["prod"].min_age, environments["mark"].min_age) == (Seconds(86400), Seconds(3600))


def test_min_age_of_zero_is_not_inherited(tmp_path: Path) -> None:
    """Zero is a value, unlike a missing key."""
    text = WHOLE.replace("protected = true", 'min_age = "0s"') + '[evidence]\nmin_age = "1h"\n'

    assert read(tmp_path, text).environments["prod"].min_age == ZERO_SECONDS


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (('["staging", "prod"', '["stagin", "prod"'), "pipeline: 'stagin' is neither an environment nor a group"),
        (
            ('["mark", "shane"]', '["mark", "shanne"]'),
            "groups.beta: 'shanne' is not an environment; did you mean 'shane'?",
        ),
        (('beta = ["mark", "shane"]', "beta = []"), "groups.beta has no environments"),
        (("{env}.example", "{host}.example"), "defaults.url: 'https://{host}.example' has a placeholder"),
        (
            ("{env}.example", "{env.host}.example"),
            "defaults.url: 'https://{env.host}.example' has a placeholder",
        ),
        (
            ("https://{env}.example", "{env}.example"),
            "defaults.url: '{env}.example' begins with neither https://",
        ),
        (('["mark", "shane"]', '["mark", "mark"]'), "groups.beta: 'mark' is listed twice"),
        (
            ('"legacy"', '"staging-web-app"'),
            (
                "environments.prod.repository: 'staging-web-app' is also used by staging, and both follow the tag "
                'latest; to share it, write follow = "{env}" in [defaults]'
            ),
        ),
        (('repository = "legacy"', 'follow = "v1.x"'), "environments.prod.follow: 'v1.x' looks like a version"),
        (('repository = "legacy"', 'follow = "a b"'), "environments.prod.follow: 'a b' is not the tag of an image"),
        (
            ("protected = true", 'account = "210987654321"\nrole = "arn:aws:iam::111111111111:role/x"'),
            "environments.prod.role: 'arn:aws:iam::111111111111:role/x' is not a role of the account 210987654321",
        ),
        (("protected = true", 'role = "release"'), "environments.prod.role: 'release' is not the ARN of a role"),
        (
            ("protected = true", 'platform = "ecs"\nfollow = "prod"'),
            "environments.prod.follow is not for ECS, which is told the digest: no tag moves",
        ),
        (("[defaults]", '[defaults]\nfollow = "1.2"'), "defaults.follow: '1.2' looks like a version"),
        (
            ('repository = "legacy"', 'service = "x"\n[environments.dom]\nservice = "x"'),
            "environments.dom.service: 'x' is",
        ),
        (('region = "eu-west-1"', ""), "aws.region is missing"),
        (("protected = true", 'platform = "nomad"'), "environments.prod.platform: 'nomad' is not a platform"),
    ],
)
def test_an_unknown_or_shared_name_is_reported(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    assert any(problem.startswith(f"kaizen.toml: {expected}") for problem in problems(tmp_path, WHOLE.replace(*change)))


def test_environments_share_a_repository_when_they_follow_different_tags(tmp_path: Path) -> None:
    text = WHOLE.replace("[defaults]", '[defaults]\nfollow = "{env}"').replace('"legacy"', '"staging-web-app"')

    settings = read(tmp_path, text)

    assert settings.environments["prod"].followed_image == "staging-web-app:prod"
    assert settings.followed_tags(settings.environments["prod"]) == ("staging", "prod")
    assert read(tmp_path, WHOLE).environments["prod"].follow == "latest"


def test_a_toml_syntax_error_has_line_and_column(tmp_path: Path) -> None:
    assert problems(tmp_path, "app = web\n") == ["kaizen.toml: Invalid value (at line 1, column 7)"]


def test_stage_before_follows_the_pipeline(tmp_path: Path) -> None:
    """An environment inside a group has the group's place."""
    settings = read(tmp_path, WHOLE)

    assert settings.stage_before(settings.stage("staging")) is None
    assert settings.stage_before(settings.stage("prod")) == settings.stage("staging")
    assert settings.stage_before(settings.stage("mark")) == settings.stage("prod")


def test_an_unknown_stage_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    """As for a typo in `--env`."""
    with pytest.raises(UsageError) as refused:
        read(tmp_path, WHOLE).stage("stagging")

    assert refused.value.hint == "did you mean staging?"


def test_headings_of_the_changelog_are_headings_and_types(tmp_path: Path) -> None:
    text = (
        'app = "web"\n[changelog]\nunreleased = ["À venir", "1.0", ""]\n'
        '[changelog.types]\n"Nouveautés" = "added"\n"Docs" = "Documentation"\n"Bugs" = "Fixd"\n"2.0" = "Added"\n'
    )

    assert problems(tmp_path, text) == [
        "kaizen.toml: changelog.types.Bugs: 'Fixd' is not a type of change; did you mean 'Fixed'?",
        "kaizen.toml: changelog.unreleased[2 of 3]: '1.0' begins with a number, as a version does",
        "kaizen.toml: changelog.unreleased[3 of 3]: '' is not the text of a heading",
        "kaizen.toml: changelog.types: '2.0' begins with a number, as a version does",
    ]


def test_rules_of_the_changelog_have_known_names_and_severities(tmp_path: Path) -> None:
    """The nearest name is in the message."""
    text = 'app = "web"\n[changelog]\nsince = "1.x"\n[changelog.rules]\ntag-mising = "off"\nlink-dead = "warn"\n'

    assert problems(tmp_path, text) == [
        "kaizen.toml: changelog.rules.link-dead: 'warn' is not a severity; did you mean 'warning'?",
        "kaizen.toml: changelog.since: '1.x' is not a version such as '1.2.3'",
        "kaizen.toml: changelog.rules: 'tag-mising' is not a rule; did you mean 'tag-missing'?",
    ]


def test_rules_of_the_changelog_reach_the_check(tmp_path: Path) -> None:
    """With the oldest version as a version."""
    text = 'app = "web"\n[changelog]\nsince = "v1.0.0"\n[changelog.rules]\ntag-missing = "off"\n'

    rules = read(tmp_path, text).changelog.lint_rules

    assert (dict(rules.severities), str(rules.since)) == ({"tag-missing": "off"}, "1.0.0")


def test_a_line_is_a_branch_or_a_table_with_the_environments_that_stay_on_it(tmp_path: Path) -> None:
    text = '[lines]\n"1.x" = "stable/1.x"\n[lines."2.0.x"]\nbranch = "stable/2.0"\nenvironments = ["mark"]\n'
    settings = read(tmp_path, WHOLE + text)

    assert settings.lines == (
        Line(name="1.x", branch="stable/1.x"),
        Line(name="2.0.x", branch="stable/2.0", environments=("mark",)),
    )
    assert settings.release_branches == ("main", "stable/1.x", "stable/2.0")
    assert settings.has_several_lines


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('[lines]\nlegacy = "stable/1.x"', "kaizen.toml: lines: 'legacy' is not a line such as '1.x' or '1.2.x'"),
        ('[lines]\n"1.x" = "-x"', "kaizen.toml: lines.1.x.branch: '-x' is not the name or pattern of a branch"),
        ('[lines]\n"1.x" = 1', "kaizen.toml: lines.1.x should be a table, not a number"),
        ('[lines."1.x"]\nenvironments = ["mark"]', "kaizen.toml: lines.1.x.branch is missing"),
        (
            '[lines."1.x"]\nbranch = "stable/1.x"\nenvironments = ["marc"]',
            "kaizen.toml: lines.1.x.environments: 'marc' is not an environment; did you mean 'mark'?",
        ),
        (
            '[lines]\n1 = { branch = "a", environments = ["mark"] }\n2 = { branch = "b", environments = ["mark"] }',
            "kaizen.toml: lines.2.environments: 'mark' stays on the line 1",
        ),
        (
            '[lines."1.x"]\nbranch = "a"\nenviroments = ["mark"]',
            "kaizen.toml: lines.1.x.enviroments: unknown key; did you mean 'environments'?",
        ),
    ],
)
def test_a_line_that_cannot_be_is_reported(tmp_path: Path, lines: str, expected: str) -> None:
    assert problems(tmp_path, f"{WHOLE}{lines}\n") == [expected]


@pytest.mark.parametrize(
    ("branches", "is_several"), [(["main"], False), (["main", "next"], True), (["release/*"], True)]
)
def test_patterns_of_branches_stand_for_several_lines(tmp_path: Path, branches: list[str], *, is_several: bool) -> None:
    settings = read(tmp_path, f"{WHOLE}[release]\nbranches = {branches!r}\n")

    assert settings.has_several_lines is is_several


def test_an_environment_has_the_account_region_and_credentials_of_aws_or_its_own(tmp_path: Path) -> None:
    """The account of a role is that of its ARN; a region alone changes nothing else."""
    role = "arn:aws:iam::210987654321:role/release"
    whole = WHOLE.replace('region = "eu-west-1"', 'region = "eu-west-1"\naccount = "123456789012"')
    text = whole.replace("protected = true", f'protected = true\nrole = "{role}"\nregion = "eu-central-1"')

    environments = read(tmp_path, text).environments

    assert environments["prod"].target == AwsTarget(account="210987654321", region="eu-central-1", role=role)
    assert environments["staging"].target == AwsTarget(account="123456789012", region="eu-west-1")


def test_an_account_of_its_own_needs_credentials_of_its_own(tmp_path: Path) -> None:
    text = WHOLE.replace('region = "eu-west-1"', 'region = "eu-west-1"\naccount = "123456789012"')

    assert problems(tmp_path, text.replace("protected = true", 'account = "210987654321"')) == [
        (
            "kaizen.toml: environments.prod.account: differs from aws.account, 123456789012: "
            "role or profile says whose credentials it takes"
        )
    ]


def test_what_runs_on_ecs_shares_a_repository_and_needs_an_address(tmp_path: Path) -> None:
    """Digests do not collide as a followed tag does; the same name in another account is another repository."""
    text = """
    app = "web"
    pipeline = ["staging", "prod"]
    aws.region = "eu-west-1"
    [defaults]
    platform = "ecs"
    repository = "web"
    cluster = "{app}"
    [environments.staging]
    url = "https://staging.example"
    [environments.prod]
    """

    assert problems(tmp_path, text) == ["kaizen.toml: environments.prod.url is missing: ECS gives a service no address"]
    staging = read(tmp_path, f'{text}url = "https://example"').environments["staging"]
    assert (staging.cluster, staging.follows_tag, staging.runs("linux/arm64/v8")) == ("web", False, True)
