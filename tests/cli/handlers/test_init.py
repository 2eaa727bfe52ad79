"""`kaizen init`, as it is typed, in apps of different kinds."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tomllib
from itertools import takewhile
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.config import load, validate
from kaizen_tasks.config.json_schema import schema_text
from kaizen_tasks.domain.init.ci.installation import Installation
from tests.domain.init.samples import APP, TERRAFORM
from tests.support import git_repository
from tests.support.cli_app import kaizen
from tests.support.local_cloud import Cloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from kaizen_tasks.config.settings import Settings
    from tests.support.workspaces import CommandResult

    Init = Callable[..., CommandResult]

pytestmark = pytest.mark.integration

FILES = {"kaizen.toml", "kaizen.schema.json", "tasks.py", "VERSION", "CHANGELOG.md", ".gitignore"}
"""What is written into an empty repository by a copy of these tasks that does not know its address."""


SOURCE = ("--kaizen-from", "https://git.example/tools/kaizen_tasks")
"""From where pipelines install these tasks."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a git repository without anything in it."""
    path = tmp_path / "web"
    path.mkdir()
    git(path, "init", "--quiet", "--initial-branch=main")
    return path


@pytest.fixture
def init(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Init:
    """Return a function that runs `kaizen init` in a folder, without a terminal."""
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def typed(*words: str, at: Path = folder) -> CommandResult:
        monkeypatch.chdir(at)
        monkeypatch.setattr("sys.path", [str(at), *sys.path])
        return kaizen("init", *words, capsys=capsys)

    return typed


def git(folder: Path, *words: str) -> str:
    """Run git with an identity."""
    environ = {"PATH": "/usr/bin:/bin:/usr/local/bin", **git_repository.ENVIRONMENT}
    return subprocess.run(("git", *words), cwd=folder, env=environ, check=True, capture_output=True, text=True).stdout


def put(folder: Path, files: Mapping[str, str]) -> None:
    """Write files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def committed(folder: Path, files: Mapping[str, str], *, remote: bool = True) -> None:
    """Write and commit files, and push them to a remote."""
    put(folder, files)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "First")
    if remote:
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "../web.git")
        git(folder, "remote", "add", "origin", "../web.git")
        git(folder, "push", "--quiet", "--set-upstream", "origin", "main")


def contents(folder: Path) -> dict[str, str]:
    """Return the hash of every file."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def settings(folder: Path) -> Settings:
    """Return the settings of the configuration."""
    found = load.read_config_file(folder)
    assert found is not None
    return validate.build_settings(found, load.with_defaults(found.table))


def test_an_app_with_script_and_terraform_is_configured_completely(folder: Path, init: Init) -> None:
    """No existing file is touched, and a second run changes nothing."""
    committed(folder, {**APP, **TERRAFORM})
    git(folder, "switch", "--quiet", "--create", "feature/x")
    before = contents(folder)

    said = init("--yes")
    after = contents(folder)
    again = init("--yes")

    assert said.code == 0
    assert after.items() > before.items()
    assert after.keys() - before.keys() == {"kaizen.toml", "kaizen.schema.json", "tasks.py"}
    assert settings(folder).pipeline == ("staging", "prod", "beta")
    assert settings(folder).environments["prod"].repository == "my-personal-coach-app"
    assert "note:" not in said.out
    assert "+repository = " in said.out
    assert "inv --dry release-staging" in said.out
    assert (again.code, "no file is missing" in again.out) == (0, True)
    assert contents(folder) == after


def test_a_file_that_git_ignores_is_added_by_force(folder: Path, init: Init) -> None:
    (folder / ".gitignore").write_text("kaizen.*\n__pycache__/\n", encoding="utf-8")

    said = init("--yes")

    assert "git ignores kaizen.toml, kaizen.schema.json: add with --force" in said.out
    assert "    git add --force kaizen.toml " in said.out


def test_a_profile_is_not_written_but_set_by_a_variable(folder: Path, init: Init) -> None:
    said = init("--yes", "--profile", "ada laptop")

    assert "next:\n    export AWS_PROFILE='ada laptop'\n    git add " in said.out
    assert "ada" not in (folder / "kaizen.toml").read_text(encoding="utf-8")


def test_an_empty_repository_gets_a_configuration_for_releases_only(folder: Path, init: Init) -> None:
    said = init("--yes")

    assert said.code == 0
    assert contents(folder).keys() == FILES
    assert (folder / "VERSION").read_text(encoding="utf-8") == "0.1.0\n"
    assert settings(folder).app == "web"
    assert "\n## [Unreleased]\n\n### Added\n\n- A" in (folder / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "note: there is no Dockerfile and no environment" in said.out
    assert "note: there is no git remote" in said.out
    assert init("--yes").out.count("no file is missing") == 1


def test_without_a_terminal_or_yes_nothing_is_written(folder: Path, init: Init) -> None:
    committed(folder, APP)
    before = contents(folder)

    said = init()

    assert said.code == 3
    assert "+app = " in said.out
    assert said.err.splitlines()[-2:] == ["nothing has been changed", "kaizen init --yes"]
    assert contents(folder) == before


def test_a_dry_run_shows_the_diff_and_succeeds(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)

    said = kaizen("--dry", "init", capsys=capsys)

    assert said.code == 0
    assert "+++ b/kaizen.toml" in said.out
    assert contents(folder) == {}


def _listed(folder: Path) -> str:
    """Return what Invoke lists, as JSON."""
    words = [sys.executable, "-m", "invoke", "--list", "--list-format=json"]
    ended = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("path", ["tasks.py", "tasks/__init__.py"])
@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("from invoke import task\n\n\n@task\ndef mine(c): ...\n", "mine"),
        ("from invoke import Collection, task\n\n\n@task\ndef mine(c): ...\n\n\nns = Collection(mine)\n", "own.mine"),
    ],
)
def test_an_existing_tasks_file_keeps_its_tasks(folder: Path, init: Init, text: str, own: str, path: str) -> None:
    """The first of the next commands adds the printed lines at its end, which give both, and it is committed."""
    committed(folder, {**APP, path: text})

    said = init("--yes")
    assert (folder / path).read_text(encoding="utf-8") == text
    assert (folder / "tasks.py").exists() == (path == "tasks.py")
    lines = said.out.partition("add at its end:\n")[2].splitlines()
    block = [line.removeprefix("    ") for line in takewhile(lambda line: line[:1] in {"", " "}, lines)]
    add, stage = said.out.partition("next:\n")[2].splitlines()[:2]
    assert stage == f"    git add kaizen.toml kaizen.schema.json {path}"
    subprocess.run(("sh", "-c", add), cwd=folder, check=True)
    assert (folder / path).read_text(encoding="utf-8") == text + "\n" + "\n".join(block) + "\n"

    listed = _listed(folder)
    assert f'"name": "{own.rpartition(".")[2]}"' in listed
    assert '"name": "release-staging"' in listed
    assert "add at its end" not in init("--yes").out


def test_a_tasks_file_that_is_not_python_is_corrected_first(folder: Path, init: Init) -> None:
    committed(folder, {**APP, "tasks.py": "def test(c:\n"})

    steps = init("--yes").out.partition("next:\n")[2].splitlines()

    assert steps[0] == "    # first, correct tasks.py: until then Invoke cannot load it"


def test_a_configuration_in_pyproject_is_kept(folder: Path, init: Init) -> None:
    """No `kaizen.toml` is written beside it."""
    committed(folder, {**APP, "pyproject.toml": '[tool.kaizen]\napp = "mine"\n'})

    said = init("--yes")

    assert said.code == 0
    assert "configured in pyproject.toml [tool.kaizen]" in said.out
    assert not (folder / "kaizen.toml").exists()
    assert (folder / "tasks.py").exists()


@pytest.mark.parametrize(
    ("name", "text"), [("kaizen.toml", 'app = "web"\npipelin = []\n'), ("pyproject.toml", "[tool.kaizen\n")]
)
def test_a_broken_configuration_is_not_replaced(folder: Path, init: Init, name: str, text: str) -> None:
    """Its problems are listed."""
    committed(folder, {**APP, name: text})
    before = contents(folder)

    said = init("--yes")

    assert said.code == 2
    assert said.err.startswith(f"error: {name}")
    assert contents(folder) == before


def test_an_app_in_a_subfolder_gets_its_files_there(folder: Path, init: Init) -> None:
    """Its neighbours are ignored."""
    committed(
        folder, {**{f"services/coach/{name}": text for name, text in APP.items()}, "services/blog/VERSION": "1.0.0\n"}
    )
    coach = folder / "services" / "coach"

    said = init("--yes", at=coach)

    assert said.code == 0
    assert {"kaizen.toml", "tasks.py"} <= {path.name for path in coach.iterdir()}
    assert settings(coach).app == "kaizencoach"
    assert settings(coach).release.tag == "coach-v{version}"
    assert git(folder, "status", "--porcelain").split() == [
        "??",
        "services/coach/kaizen.schema.json",
        "??",
        "services/coach/kaizen.toml",
        "??",
        "services/coach/tasks.py",
    ]


def test_a_subfolder_of_an_app_is_refused_until_the_app_is_configured(folder: Path, init: Init) -> None:
    committed(folder, APP)
    scripts = folder / "scripts"

    refused = init("--yes", at=scripts)
    init("--yes")
    found = init("--yes", at=scripts)

    assert refused.code == 3
    assert refused.err.splitlines()[-1] == f"cd {folder}"
    assert (found.code, "no file is missing" in found.out) == (0, True)
    assert [path.name for path in scripts.iterdir()] == ["deploy.sh"]


def test_a_missing_dockerfile_is_noted_and_environments_are_configured(folder: Path, init: Init) -> None:
    committed(folder, {name: text for name, text in APP.items() if name != "Dockerfile"})

    said = init("--yes")

    assert said.code == 0
    assert "note: there is no Dockerfile: write one" in said.out
    assert "staging" in settings(folder).environments


def test_a_dockerfile_without_version_argument_gets_its_lines_printed(folder: Path, init: Init) -> None:
    """The file itself is left alone."""
    committed(folder, {**APP, "Dockerfile": "FROM a\nCMD true\n"})

    said = init("--yes")

    assert "note: Dockerfile does not take the version; add above line 2, CMD:\n    ARG VERSION=dev\n" in said.out
    assert (folder / "Dockerfile").read_text(encoding="utf-8") == "FROM a\nCMD true\n"


def test_an_app_without_the_endpoint_gets_its_lines_printed(folder: Path, init: Init) -> None:
    committed(folder, {**APP, "app.py": "app = Flask(__name__)\n"})

    said = init("--yes")

    assert "note: the app does not answer GET /version; with Flask:\n    import os\n" in said.out
    assert 'os.environ.get("APP_VERSION", "dev")' in said.out


def test_a_detached_head_is_noted_with_the_branch_to_switch_to(folder: Path, init: Init) -> None:
    committed(folder, APP)
    git(folder, "remote", "set-head", "origin", "main")
    git(folder, "checkout", "--quiet", "--detach")

    said = init("--yes")

    assert "note: HEAD is detached; releases are made from main: git switch main" in said.out
    assert settings(folder).release.branches == ("main",)


def test_branch_and_remote_of_releases_are_those_of_the_repository(folder: Path, init: Init) -> None:
    committed(folder, APP, remote=False)
    git(folder, "branch", "--move", "trunk")
    git(folder, "remote", "add", "upstream", "https://user:secret@example.com/web.git")
    git(folder, "update-ref", "refs/remotes/upstream/trunk", "HEAD")
    git(folder, "symbolic-ref", "refs/remotes/upstream/HEAD", "refs/remotes/upstream/trunk")

    said = init("--yes")

    release = settings(folder).release
    assert (release.branches, release.remote) == (("trunk",), "upstream")
    assert "secret" not in said.out + said.err


def test_a_path_with_spaces_works(tmp_path: Path, init: Init) -> None:
    folder = tmp_path / "my own app"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    put(folder, {"Dockerfile": "FROM a\n"})

    said = init("--yes", at=folder)

    assert said.code == 0
    assert settings(folder).app == "my-own-app"
    assert settings(folder).pipeline == ("staging", "prod")


def test_a_folder_outside_of_git_is_refused(tmp_path: Path, init: Init) -> None:
    """A release needs a commit."""
    folder = tmp_path / "alone"
    folder.mkdir()

    said = init("--yes", at=folder)

    assert said.code == 3
    assert "git init" in said.err
    assert list(folder.iterdir()) == []


def test_a_file_that_git_ignores_is_not_overwritten(folder: Path, init: Init) -> None:
    """It exists, although git does not list it."""
    committed(folder, {".gitignore": "VERSION\ntasks.py\n"})
    put(folder, {"VERSION": "7.0.0\n", "tasks.py": "# mine\n"})

    said = init("--yes")

    assert (folder / "VERSION").read_text(encoding="utf-8") == "7.0.0\n"
    assert (folder / "tasks.py").read_text(encoding="utf-8") == "# mine\n"
    assert (folder / ".gitignore").read_text(encoding="utf-8") == "VERSION\ntasks.py\n__pycache__/\n"
    assert "note: tasks.py exists and is left alone; add at its end:" in said.out


class Terminal(io.StringIO):
    """A terminal with typed answers."""

    def isatty(self) -> bool:
        """Return True, as a terminal does."""
        return True


def test_only_what_no_source_shows_is_asked(folder: Path, init: Init, monkeypatch: pytest.MonkeyPatch) -> None:
    """Yes to a question for a name means the default, no asks again; the last question is whether to write."""
    committed(folder, {"Dockerfile": "FROM a\n"})
    monkeypatch.setattr("sys.stdin", Terminal("n\ncoach\ny\nfargate\necs-express\ntest, live\ny\n"))

    said = init()

    found = settings(folder)
    assert said.code == 0
    assert (found.app, found.aws.region, found.pipeline) == ("coach", "eu-west-1", ("test", "live"))
    assert {each.platform for each in found.environments.values()} == {"ecs-express"}
    assert "apprunner (for accounts that have it: it takes no new customers)" in said.err
    assert said.err.count("]: ") == 6
    assert "to be configured in kaizen.toml)" in said.out


def test_the_answer_no_changes_nothing(folder: Path, init: Init, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the sources show everything, only the last question is asked."""
    committed(folder, {**APP, **TERRAFORM})
    before = contents(folder)
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))

    said = init()

    assert said.code == 3
    assert said.err.startswith("write kaizen.toml, tasks.py, kaizen.schema.json? [y/N] ")
    assert contents(folder) == before


TARGET_GROUP = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/shop/0123456789abcdef"


@pytest.fixture
def cloud(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Run a local cloud with two services."""
    with Cloud(tmp_path_factory.mktemp("cloud")) as running:
        for name, environment in (("shop-live", "prod"), ("staging-shop", "staging")):
            running.client("ecr").create_repository(repositoryName=name)
            address = f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/{name}:latest"
            running.client("apprunner").create_service(
                ServiceName=name,
                SourceConfiguration={
                    "AuthenticationConfiguration": {"AccessRoleArn": "arn:aws:iam::123456789012:role/pulls"},
                    "ImageRepository": {
                        "ImageIdentifier": address,
                        "ImageRepositoryType": "ECR",
                        "ImageConfiguration": {"RuntimeEnvironmentVariables": {"ENVIRONMENT": environment}},
                    },
                },
            )
        for variable, value in running.environ.items():
            if variable.startswith("AWS_"):
                monkeypatch.setenv(variable, value)
        yield running


def test_from_aws_reads_the_services_of_the_account(folder: Path, init: Init, cloud: Cloud) -> None:
    """It changes nothing there."""
    committed(folder, {"Dockerfile": "FROM a\nARG VERSION\n"})

    said = init("--yes", "--from-aws", "--app", "shop")

    found = settings(folder)
    assert said.code == 0
    assert (found.aws.account, found.pipeline) == ("123456789012", ("staging", "prod"))
    assert found.environments["prod"].service == "shop-live"
    assert found.environments["staging"].repository == "staging-shop"
    asked = [each["operation"] for each in cloud.requests if each.get("operation")]
    made = ("CreateRepository", "CreateService")
    assert all(name.startswith(("Get", "Describe", "List", *made)) for name in asked)
    assert asked.count("CreateService") == 2
    assert tomllib.loads((folder / "kaizen.toml").read_text(encoding="utf-8"))["app"] == "shop"


def test_from_aws_reads_services_of_ecs_with_clusters_and_containers(folder: Path, init: Init, cloud: Cloud) -> None:
    """A service that no request reaches is another one; the address of one on its own is asked for."""
    ecs = cloud.client("ecs")
    ecs.create_cluster(clusterName="shop-prod")
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop@sha256:" + "0" * 64
    roles = {"executionRoleArn": "arn:aws:iam::123456789012:role/e"}
    ecs.register_task_definition(
        family="shop",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[
            {"name": "logs", "image": "fluent/fluent-bit", "essential": False},
            {"name": "web", "image": image, "portMappings": [{"containerPort": 8080}]},
        ],
        **roles,
    )
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
    target = {"targetGroupArn": TARGET_GROUP, "containerName": "web", "containerPort": 8080}
    for name, balancers in (("web", [target]), ("worker", [])):
        ecs.create_service(
            cluster="shop-prod",
            serviceName=name,
            taskDefinition="shop",
            desiredCount=0,
            launchType="FARGATE",
            networkConfiguration=network,
            loadBalancers=balancers,
        )
    ecs.create_express_gateway_service(
        serviceName="staging-shop",
        infrastructureRoleArn="arn:aws:iam::123456789012:role/i",
        primaryContainer={"image": image, "environment": [{"name": "ENVIRONMENT", "value": "staging"}]},
        **roles,
    )
    committed(folder, {"Dockerfile": "FROM a\nARG VERSION\n"})

    init("--yes", "--from-aws", "--app", "shop", "--platform", "ecs").expect_success()
    prod = settings(folder).environments["prod"]
    (folder / "kaizen.toml").unlink()
    said = init("--yes", "--from-aws", "--app", "shop", "--platform", "ecs-express").expect_success()
    staging = settings(folder).environments["staging"]

    assert (prod.platform, prod.cluster, prod.service, prod.container) == ("ecs", "shop-prod", "web", "web")
    assert (prod.repository, prod.url) == ("shop", "https://prod.shop.invalid")
    assert (staging.platform, staging.cluster, staging.service) == ("ecs-express", "default", "staging-shop")
    assert "service shop-live (account 123456789012): ecs-express is asked for" in said.out


@pytest.mark.usefixtures("cloud")
def test_an_account_without_a_service_of_the_app_is_refused(folder: Path, init: Init) -> None:
    """The error lists the services that exist."""
    committed(folder, {"Dockerfile": "FROM a\n"}, remote=False)

    said = init("--yes", "--from-aws")

    assert said.code == 3
    assert "shop-live, staging-shop" in said.err
    assert contents(folder).keys() == {"Dockerfile"}


def test_account_is_not_said_to_be_complete_where_it_was_not_asked(folder: Path, init: Init) -> None:
    (folder / "kaizen.toml").write_text('app = "web"\n', encoding="utf-8")
    init("--yes").expect_success()

    said = init("--yes", "--from-aws").expect_success()

    assert "AWS was not asked: --from-aws is for writing kaizen.toml, which exists; to check it: inv doctor" in said.out
    assert "AWS" not in init("--yes").expect_success().out


def test_workflows_that_release_by_pull_request_are_written(folder: Path, init: Init) -> None:
    (folder / "kaizen.toml").write_text('app = "web"\n[changelog]\nfragments = "changelog.d"\n', encoding="utf-8")

    init("--yes", "--ci", "github", "--propose", *SOURCE).expect_success()

    workflows = folder / ".github" / "workflows"
    assert "inv propose" in (workflows / "propose.yml").read_text(encoding="utf-8")
    assert '"changelog.d/**"' in (workflows / "propose.yml").read_text(encoding="utf-8")
    assert "inv cut --push" in (workflows / "release.yml").read_text(encoding="utf-8")


CONFIGURED = 'app = "web"\npipeline = ["staging"]\n[aws]\nregion = "eu-west-1"\n[environments.staging]\n'


@pytest.mark.parametrize(
    ("system", "path"),
    [("github", ".github/workflows/dashboard.yml"), ("gitlab", ".gitlab/kaizen.gitlab-ci.yml")],
)
def test_a_dashboard_is_published_and_the_user_told_that_it_may_be_public(
    folder: Path, init: Init, system: str, path: str
) -> None:
    committed(folder, {"Dockerfile": "FROM x\n", "kaizen.toml": CONFIGURED})

    said = init("--yes", "--ci", system, "--dashboard", *SOURCE).expect_success()

    assert "inv dashboard --out" in (folder / path).read_text(encoding="utf-8")
    assert "note: a published dashboard may be public, also of a private repository" in said.out
    assert f"# set up by hand what stands at the top of {path}" in said.out
    assert "a published dashboard" not in init("--yes", "--ci", system, "--dashboard", *SOURCE).expect_success().out


@pytest.mark.parametrize("system", ["github", "gitlab"])
def test_a_pipeline_from_before_publishes_no_dashboard_and_is_named(folder: Path, init: Init, system: str) -> None:
    committed(folder, {"Dockerfile": "FROM x\n", "kaizen.toml": CONFIGURED})
    init("--yes", "--ci", system, *SOURCE).expect_success()
    path = {"github": ".github/workflows/release.yml", "gitlab": ".gitlab/kaizen.gitlab-ci.yml"}[system]

    said = init("--yes", "--ci", system, "--dashboard", *SOURCE).expect_success()

    assert f"note: {path} exists and does not publish the dashboard: delete it, and run the same command" in said.out
    (folder / path).unlink()
    again = init("--yes", "--ci", system, "--dashboard", *SOURCE).expect_success()
    assert "does not publish" not in again.out
    assert "dashboard-staging:" in (folder / path).read_text(encoding="utf-8")


def test_two_apps_of_a_repository_are_told_that_they_share_one_site(folder: Path, init: Init) -> None:
    committed(folder, {f"{app}/kaizen.toml": CONFIGURED.replace("web", app) for app in ("shop", "blog")})
    init("--yes", "--ci", "github", "--dashboard", *SOURCE, at=folder / "shop").expect_success()

    said = init("--yes", "--ci", "github", "--dashboard", *SOURCE, at=folder / "blog").expect_success()

    assert "note: ../.github/workflows/shop-dashboard.yml publishes on the same site" in said.out


def test_a_library_has_no_dashboard(folder: Path, init: Init) -> None:
    (folder / "kaizen.toml").write_text('app = "web"\n', encoding="utf-8")
    before = contents(folder)

    refused = init("--yes", "--ci", "github", "--propose", "--dashboard", *SOURCE)

    assert (refused.code, contents(folder)) == (3, before)
    assert "web has no environments that a dashboard could show" in refused.err
    assert "kaizen init --ci github --propose" in refused.err


def test_a_dashboard_is_for_workflows(init: Init) -> None:
    refused = init("--yes", "--dashboard")

    assert refused.code == 2
    assert "kaizen init --ci github --dashboard" in refused.err


def test_release_by_pull_request_is_for_workflows(init: Init) -> None:
    refused = init("--yes", "--propose")

    assert refused.code == 2
    assert "kaizen init --ci github --propose" in refused.err


def test_a_pipeline_installs_no_name_that_anybody_could_register(
    folder: Path, init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the repository's address nothing is written; with it, the tasks are those of the repository."""
    monkeypatch.setattr("kaizen_tasks.cli.handlers.init.read_installation", lambda: Installation(version="1.2.3"))
    committed(folder, APP)
    before = contents(folder)

    refused = init("--yes", "--ci", "gitlab", "--propose")
    assert (refused.code, contents(folder)) == (3, before)
    assert "does not know the repository from which the pipeline can install kaizen_tasks" in refused.err
    assert "kaizen init --ci gitlab --propose --kaizen-from https://HOST/OWNER/REPOSITORY" in refused.err

    init("--yes", "--ci", "gitlab", "--propose", *SOURCE).expect_success()
    requirement = (folder / ".gitlab" / "kaizen" / "kaizen.txt").read_text(encoding="utf-8").splitlines()[-1]
    assert requirement == f"kaizen-tasks @ git+{SOURCE[1]}@v1.2.3"


@pytest.mark.parametrize("system", ["github", "gitlab"])
@pytest.mark.parametrize("format_name", ["apprise", "json"])
def test_a_pipeline_installs_apprise_for_a_target_that_needs_it(
    folder: Path, init: Init, system: str, format_name: str
) -> None:
    committed(folder, APP)
    init("--yes").expect_success()
    with (folder / "kaizen.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[[notify]]\nformat = "{format_name}"\nwebhook_secret = "kaizen/pager"\n')

    init("--yes", "--ci", system, *SOURCE).expect_success()

    requirements = (folder / f".{system}" / "kaizen" / "dependencies.txt").read_text(encoding="utf-8")
    assert ("\napprise==" in requirements) == (format_name == "apprise")
    assert "\njinja2==" in requirements


def test_the_repository_of_these_tasks_is_asked_for_at_a_terminal(
    folder: Path, init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kaizen_tasks.cli.handlers.init.read_installation", lambda: Installation(version="1.2.3"))
    committed(folder, APP)
    monkeypatch.setattr("sys.stdin", Terminal(f"{SOURCE[1]}\ny\n"))

    said = init("--ci", "github")

    assert "the repository of kaizen_tasks, which the pipeline installs" in said.err
    assert (folder / ".github" / "kaizen" / "kaizen.txt").exists()


def test_the_next_steps_name_what_the_script_and_the_pipeline_need(
    folder: Path, init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    script = "export AWS_PROFILE=acme\naws ecr get-login-password\naws apprunner start-deployment --service-arn $ARN\n"
    committed(folder, {"Dockerfile": "FROM python\nCMD x\n", "deploy.sh": script})

    steps = init("--yes", "--ci", "github", *SOURCE).out.partition("next:\n")[2].splitlines()

    assert steps[0].startswith("    # first, what the notes above say about the version")
    assert steps[1] == "    export AWS_PROFILE=acme"
    assert steps[4:6] == ["    inv doctor", "    inv rehearse"]
    assert steps[-1] == "    # set up by hand what stands at the top of .github/workflows/release.yml"


def test_a_changelog_that_notes_nothing_is_told(folder: Path, init: Init) -> None:
    committed(folder, {"VERSION": "1.1.0\n", "CHANGELOG.md": "# Changelog\n\n## [1.0.0] - 2026-01-01\n\n- One\n"})
    assert "note: CHANGELOG.md notes nothing for the next release" in init("--yes").out
    assert "notes nothing" not in init("--yes").out


def test_a_changelog_that_cannot_be_read_is_told_and_stops_nothing(folder: Path, init: Init) -> None:
    committed(folder, {"CHANGELOG.md": "# Unreleased Changes\n\n- Two\n\n# 1.0.0 - 2026-01-01\n\n- One\n"})
    said = init("--yes")

    assert said.code == 0
    assert "note: CHANGELOG.md: line 1 of the changelog, '# Unreleased Changes'" in said.out


def test_the_version_endpoint_is_added_on_request(folder: Path, init: Init) -> None:
    app = "from flask import Flask\n\napp = Flask(__name__)\n"
    committed(folder, {"Dockerfile": "FROM python\nCMD x\n", "requirements.txt": "flask\n", "web/app.py": app})
    offered = init("--yes")
    said = init("--yes", "--add-version-endpoint")
    again = init("--yes", "--add-version-endpoint")

    assert "note: kaizen init --add-version-endpoint adds that" in offered.out
    assert "wrote Dockerfile, web/app.py; next:\n    git add Dockerfile web/app.py\n" in said.out
    assert '@app.route("/version")' in (folder / "web" / "app.py").read_text(encoding="utf-8")
    dockerfile = (folder / "Dockerfile").read_text(encoding="utf-8")
    assert dockerfile == "FROM python\n\nARG VERSION=dev\nENV APP_VERSION=$VERSION\n\nCMD x\n"
    assert "no file is missing" in again.out


def test_why_the_version_endpoint_cannot_be_added_is_told(folder: Path, init: Init) -> None:
    app = 'const express = require("express"),\n  app = express();\n'
    committed(folder, {"Dockerfile": "FROM node\nCMD x\n", "package.json": '{"name": "x"}', "server.js": app})

    said = init("--yes", "--add-version-endpoint")

    assert "cannot be changed so that it does: server.js has no statement `app = …`" in said.out
    assert (folder / "server.js").read_text(encoding="utf-8") == app


def test_the_first_line_says_that_the_platform_is_another(folder: Path, init: Init) -> None:
    committed(folder, {"Dockerfile": "FROM python\n", "deploy.sh": "docker build .\nflyctl deploy\n"})
    said = init("--yes")

    assert said.out.startswith(
        "this app runs on Fly.io (deploy.sh:2), and these tasks deploy to App Runner and ECS only\n"
    )
    assert "# Fly.io (deploy.sh:2) is what this app runs on" in (folder / "kaizen.toml").read_text(encoding="utf-8")


def test_an_app_in_a_subfolder_is_built_as_the_script_at_the_top_does(folder: Path, init: Init) -> None:
    script = "docker build -f backend/Dockerfile -t 1.dkr.ecr.eu-west-1.amazonaws.com/shop:latest .\n"
    committed(
        folder,
        {"deploy.sh": script, "backend/Dockerfile": "FROM scratch\nCOPY backend /app\n", "web/Dockerfile": "FROM x\n"},
    )
    said = init("--yes", at=folder / "backend")
    configured = settings(folder / "backend")

    assert said.code == 0
    assert (configured.build.context, configured.build.dockerfile) == ("..", "backend/Dockerfile")
    assert configured.environments["prod"].repository == "shop"
    assert configured.release.tag == "backend-v{version}"
    assert 'repository = "shop"                      # ../deploy.sh:1' in said.out


def test_an_app_in_a_subfolder_has_the_facts_of_its_own_job(folder: Path, init: Init) -> None:
    registry = "210987654321.dkr.ecr.eu-central-1.amazonaws.com"
    workflow = f"""\
on: push
jobs:
  api:
    strategy:
      matrix:
        env: [staging, prod]
    steps:
      - run: docker build -t {registry}/shop-api:$GITHUB_SHA api
      - uses: aws-actions/amazon-ecs-deploy-task-definition@v2
        with:
          service: api-${{{{ matrix.env }}}}
          cluster: shop-${{{{ matrix.env }}}}
  web:
    steps:
      - run: |
          docker build -t {registry}/shop-web:latest web
          aws apprunner start-deployment --service-arn arn:aws:apprunner:eu-central-1:210987654321:service/shop-web/abc
"""
    files = {"Dockerfile": "FROM scratch\n", "VERSION": "1.0.0\n"}
    apps = {f"{app}/{name}": text for app in ("api", "web") for name, text in files.items()}
    committed(folder, {".github/workflows/deploy.yml": workflow, **apps})

    assert all(init("--yes", at=folder / app).code == 0 for app in ("api", "web"))

    api, web = (settings(folder / app) for app in ("api", "web"))
    assert (web.app, {*web.environments}) == ("web", {"prod"})
    prod = web.environments["prod"]
    assert (prod.platform, prod.repository, prod.service) == ("apprunner", "shop-web", "shop-web")
    assert (api.app, {*api.environments}) == ("api", {"staging", "prod"})
    prod = api.environments["prod"]
    assert (prod.platform, prod.repository, prod.service, prod.cluster) == ("ecs", "shop-api", "api-prod", "shop-prod")


def test_editors_find_the_schema(folder: Path, init: Init) -> None:
    """This copy does not know the address of its repository, so the schema is written beside the configuration."""
    committed(folder, APP)

    said = init("--yes")

    first_line = (folder / "kaizen.toml").read_text(encoding="utf-8").partition("\n")[0]
    assert first_line == "#:schema ./kaizen.schema.json"
    assert (folder / "kaizen.schema.json").read_text(encoding="utf-8") == schema_text()
    assert "generated lines)" in said.out
    assert '"additionalProperties"' not in said.out


def test_what_would_release_beside_the_new_pipeline_is_named(folder: Path, init: Init) -> None:
    """And what the app has under the names of the new files."""
    foreign = {
        ".github/workflows/release.yml": "on: push\njobs: {}\n",
        ".github/workflows/main.yml": "jobs:\n  ship:\n    steps:\n      - run: ./deploy.sh staging\n",
        ".releaserc.json": "{}\n",
        ".gitlab-ci.yml": "test:\n  script: [make]\n",
    }
    committed(folder, {**APP, **foreign})
    git(folder, "remote", "set-url", "origin", "https://github.com/ada/coach.git")

    github, gitlab = (init("--yes", "--ci", system, *SOURCE).out for system in ("github", "gitlab"))

    assert "note: .github/workflows/release.yml exists and is not of kaizen_tasks: rename or remove it" in github
    assert "note: .github/workflows/main.yml runs a deploy script; remove those jobs" in github
    assert "note: semantic-release makes releases too; remove it" in github
    assert "add to its `include`:\n    include:\n      - local: .gitlab/kaizen*.gitlab-ci.yml\n" in gitlab
    assert "note: the remote is on github, which does not run this pipeline: kaizen init --ci github" in gitlab
    assert "--print-iam --gitlab ada/coach" in (folder / ".gitlab/kaizen.gitlab-ci.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("system", "files"),
    [
        ("github", [".github/workflows/{app}-changelog.yml", ".github/workflows/{app}-release.yml"]),
        ("gitlab", [".gitlab/kaizen-{app}.gitlab-ci.yml"]),
    ],
)
def test_two_apps_of_a_repository_get_a_pipeline_each(folder: Path, init: Init, system: str, files: list[str]) -> None:
    """What they share is written once, and a second time nothing is."""
    committed(folder, {"services/backend/Dockerfile": "FROM x\n", "web/Dockerfile": "FROM x\n"})

    backend = init("--yes", "--ci", system, *SOURCE, at=folder / "services" / "backend")
    shared = contents(folder)
    web = init("--yes", "--ci", system, *SOURCE, at=folder / "web")
    first = contents(folder)
    again = [init("--yes", "--ci", system, *SOURCE, at=folder / path) for path in ("services/backend", "web")]

    assert (backend.code, web.code) == (0, 0)
    assert {name.format(app=app) for app in ("backend", "web") for name in files} <= first.keys()
    assert all(first[name] == content for name, content in shared.items())
    assert f"left alone: ../.{system}/kaizen/dependencies.txt" in web.out.replace("../.gitlab-ci.yml, ", "")
    assert "exists and is" not in web.out
    assert "../.github/workflows" not in web.err
    assert contents(folder) == first
    assert all("no file is missing" in each.out for each in again)


def test_a_workflow_of_another_app_is_left_alone_and_named(folder: Path, init: Init) -> None:
    """Both have the same tags, so their files would have the same names."""
    config = 'app = "web"\n[release]\ntag = "web-v{version}"\n'
    committed(folder, {"shop/kaizen.toml": config, "blog/kaizen.toml": config})
    init("--yes", "--ci", "github", *SOURCE, at=folder / "shop")

    said = init("--yes", "--ci", "github", *SOURCE, at=folder / "blog")

    assert "note: ../shop/kaizen.toml has the same tags, web-v{version}; change release.tag of one" in said.out
    assert "note: ../.github/workflows/web-changelog.yml exists and is of another app: rename or remove it" in said.out
    assert "in shop:" in (folder / ".github/workflows/web-changelog.yml").read_text(encoding="utf-8")


def test_code_scanning_finds_the_files_of_an_app_in_a_subfolder(
    folder: Path, init: Init, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = "# Changelog\n\n## [Unreleased]\n\n### fixed\n- One\n"
    committed(folder, {"web/kaizen.toml": 'app = "web"\n', "web/CHANGELOG.md": broken})
    init("--yes", at=folder / "web")

    said = kaizen("changelog.check", "--sarif", capsys=capsys)

    assert '"uri": "web/CHANGELOG.md"' in said.out
    assert '"uri": "CHANGELOG.md"' not in said.out


def test_folders_of_the_same_name_get_different_tags(folder: Path, init: Init) -> None:
    committed(folder, {"shop/web/Dockerfile": "FROM x\n", "blog/web/Dockerfile": "FROM x\n"})

    init("--yes", at=folder / "shop" / "web")
    init("--yes", at=folder / "blog" / "web")

    assert settings(folder / "shop" / "web").release.tag == "web-v{version}"
    assert settings(folder / "blog" / "web").release.tag == "blog-web-v{version}"


def test_what_releases_an_app_in_a_subfolder_too_is_named(folder: Path, init: Init) -> None:
    """Workflows at the top, if they name its folder, and release tools there."""
    workflow = "jobs:\n  ship:\n    steps:\n      - run: ./deploy.sh {}\n"
    foreign = {
        ".github/workflows/main.yml": workflow.format("backend"),
        ".github/workflows/web.yml": workflow.format("web"),
        ".changeset/config.json": "{}\n",
    }
    committed(folder, {"backend/Dockerfile": "FROM x\n", **foreign})

    said = init("--yes", "--ci", "github", *SOURCE, at=folder / "backend")

    assert "note: ../.github/workflows/main.yml runs a deploy script; remove those jobs" in said.out
    assert "note: changesets makes releases too; remove it" in said.out
    assert "web.yml" not in said.out


def test_what_init_has_written_can_be_released_at_once(
    folder: Path, init: Init, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in git_repository.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    committed(folder, {"README.md": "# An app\n", "package.json": '{"version": "1.4.2"}\n'})
    init("--yes")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Release with kaizen_tasks")
    planned = kaizen("--dry", "cut", capsys=capsys)
    released = kaizen("cut", capsys=capsys)

    assert (planned.code, released.code) == (0, 0), released.err
    assert git(folder, "tag") == "v1.4.2\n"
