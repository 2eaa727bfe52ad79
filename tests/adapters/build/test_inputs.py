"""Secrets, contexts and caches of a build, and what engines take of them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from kaizen_tasks.adapters.build import inputs
from kaizen_tasks.adapters.build.buildah import BuildahBuilder
from kaizen_tasks.adapters.build.docker import DockerBuilder
from kaizen_tasks.adapters.build.select import choose_engine, examine_engine
from kaizen_tasks.domain.build.secret import BuildSecret
from kaizen_tasks.errors import Refused
from kaizen_tasks.ports.activity import observing_activity
from tests.adapters.build.test_docker import programs
from tests.contracts.builder import RULES, recipe, require, write_context
from tests.fakes.activity import FakeObserver

EVERYTHING = RULES._replace(
    target="runtime",
    secrets={"npm": BuildSecret(env="NPM_TOKEN"), "netrc": BuildSecret(file="private/netrc")},
    ssh=("default",),
    contexts={"docs": "../docs", "alpine": "docker-image://alpine:3.22"},
    cache_from=("type=registry,ref=ghcr.io/coach/cache,mode=max", "type=gha", "coach:latest"),
    cache_to=("type=inline",),
    options=("--network=host",),
)
READS_SECRETS = """\
FROM scratch AS base
COPY busybox /bin/busybox
FROM base AS tool
ARG NONCE
RUN --mount=type=secret,id=npm --mount=type=secret,id=netrc ["/bin/busybox", "sh", "-c", \
"/bin/busybox cat /run/secrets/npm /run/secrets/netrc; echo $NONCE"]
FROM nowhere.invalid/never:built
"""
"""A Dockerfile whose stage `tool` prints its secrets; its last stage cannot be built."""

TOKEN = "npm-0123456789abcdef"
PASSWORD = "netrc-fedcba98765"


def options(**arguments: object) -> list[str]:
    """Return the options for `EVERYTHING`."""
    context = Path("/export/app")
    return inputs.input_options(EVERYTHING, Path("/root/app"), context, **{"unsupported": (), **arguments})  # type: ignore[arg-type]


def test_buildx_gets_every_input() -> None:
    assert options(has_buildx=True) == [
        *("--secret", "id=npm,env=NPM_TOKEN", "--secret", "id=netrc,src=/root/app/private/netrc"),
        *("--ssh", "default", "--target", "runtime"),
        *("--build-context", "docs=/export/docs", "--build-context", "alpine=docker-image://alpine:3.22"),
        *("--cache-from", "type=registry,ref=ghcr.io/coach/cache,mode=max"),
        *("--cache-from", "type=gha", "--cache-from", "coach:latest", "--cache-to", "type=inline"),
        "--network=host",
    ]


def test_other_engines_get_caches_that_are_repositories_by_name() -> None:
    words = options(has_buildx=False)

    caches = [value for name, value in pairwise(words) if name.startswith("--cache")]
    assert caches == ["ghcr.io/coach/cache", "coach:latest"]


def test_an_engine_gets_no_option_that_it_lacks() -> None:
    assert options(has_buildx=False, unsupported=("secrets", "ssh", "contexts", "cache_from", "cache_to")) == [
        *("--target", "runtime"),
        "--network=host",
    ]


def test_a_folder_of_contexts_is_exported_with_the_app() -> None:
    assert EVERYTHING.exported_folder == ".."
    assert RULES._replace(contexts={"alpine": "docker-image://alpine"}).exported_folder == "."


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        (BuildSecret(env="NPM_TOKEN"), "the build secret npm has no value: the variable NPM_TOKEN is not set"),
        (BuildSecret(file="netrc"), "the build secret npm has no value: there is no file {root}/netrc"),
        (BuildSecret(file="~/netrc"), "the build secret npm has no value: there is no file {root}/home/netrc"),
    ],
)
def test_a_secret_without_value_is_an_obstacle(
    secret: BuildSecret, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NPM_TOKEN", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    rules = RULES._replace(secrets={"npm": secret})

    (obstacle,) = inputs.build_obstacles(rules, tmp_path, (), engine="docker", upgrade="")

    assert obstacle.message == message.format(root=tmp_path)
    assert obstacle.fix == "provide it, or correct build.secrets.npm"


@pytest.mark.parametrize(
    ("agents", "socket", "count"), [(("default",), "", 1), (("default",), "/agent", 0), (("deploy=/key",), "", 0)]
)
def test_keys_of_an_agent_need_one(
    agents: tuple[str, ...], socket: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", socket)

    obstacles = [*inputs.build_obstacles(RULES._replace(ssh=agents), tmp_path, (), engine="docker", upgrade="")]

    assert [obstacle.message for obstacle in obstacles] == [
        "build.ssh needs an agent, and the variable SSH_AUTH_SOCK is not set"
    ] * count


def test_an_input_that_an_engine_lacks_is_an_obstacle_and_a_cache_is_none(tmp_path: Path) -> None:
    rules = RULES._replace(ssh=("default",), cache_from=("type=gha",))

    (obstacle,) = inputs.build_obstacles(
        rules, tmp_path, ("ssh", "cache_from"), engine="docker without buildx", upgrade="install buildx"
    )

    assert obstacle.message == "docker without buildx does not support build.ssh"
    assert obstacle.fix == "install buildx, or choose another build.engine"


def test_every_part_of_a_secret_that_could_be_printed_is_redacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPM_TOKEN", TOKEN)
    (tmp_path / "private").mkdir()
    (tmp_path / "private/netrc").write_text(f"//registry/:_authToken={PASSWORD}\nlogin sam password {TOKEN[::-1]}\n")

    values = [value.reveal() for value in inputs.secret_values(EVERYTHING, tmp_path)]

    assert {TOKEN, PASSWORD, TOKEN[::-1]} <= {*values}
    assert "sam" not in values
    assert values == sorted(values, key=len, reverse=True)


@pytest.mark.integration
class TestSelection:
    """Which engine builds, by the help of its build command."""

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """An empty folder as PATH."""
        (tmp_path / "bin").mkdir()
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        monkeypatch.setenv("NPM_TOKEN", TOKEN)
        return tmp_path / "bin"

    def install(self, folder: Path, name: str, *known_options: str) -> None:
        """Put an engine on PATH that has some options."""
        script = folder / name
        script.write_text(
            "#!/bin/sh\n"
            'case "$*" in\n'
            '"buildx version") exit 1;;\n'
            '"version"*) echo 28.2.2;;\n'
            f"*--help) echo '{' '.join(known_options)}';;\n"
            "*) echo works;;\n"
            "esac\n"
        )
        script.chmod(0o755)

    def test_auto_prefers_an_engine_that_supports_the_inputs(self, folder: Path) -> None:
        self.install(folder, "docker", "--target", "--cache-from")
        self.install(folder, "buildah", "--target", "--secret")
        secrets = {"npm": BuildSecret(env="NPM_TOKEN")}

        assert choose_engine(RULES) == "docker"
        assert choose_engine(RULES._replace(target="tool")) == "docker"
        assert choose_engine(RULES._replace(secrets=secrets)) == "buildah"
        assert choose_engine(RULES._replace(secrets=secrets, engine="docker")) == "docker"

    def test_says_what_no_engine_supports(self, folder: Path) -> None:
        self.install(folder, "docker", "--target", "--cache-from")
        rules = RULES._replace(ssh=("default",), cache_to=("type=gha",))

        engine = examine_engine(rules, folder)

        assert engine.name == "docker"
        assert engine.ignored_keys == ("cache_to",)
        assert [obstacle.message for obstacle in engine.obstacles] == [
            "docker without buildx does not support build.ssh"
        ]

    def test_says_what_docker_without_buildkit_cannot_read(self, folder: Path) -> None:
        self.install(folder, "docker")
        (folder / "Dockerfile").write_text("FROM scratch\nRUN --mount=type=cache,target=/x true\nCOPY . .\n")

        (obstacle,) = examine_engine(RULES, folder).obstacles

        assert obstacle.message == "docker without buildx cannot read Dockerfile: RUN --mount in line 2"
        assert obstacle.fix.startswith("install buildx")

    def test_a_dockerfile_that_never_ends_is_left_to_the_engine(self, folder: Path) -> None:
        self.install(folder, "docker")
        (folder / "Dockerfile").symlink_to("/dev/zero")

        assert examine_engine(RULES, folder).obstacles == ()

    def test_a_bundle_ignores_what_only_an_engine_can_use(self, folder: Path) -> None:
        engine = examine_engine(
            RULES._replace(engine="bundle", target="tool", args={"BASE": "x"}, options=("--network=host",)), folder
        )

        assert (engine.ignored_keys, engine.obstacles) == (("options",), ())

    def test_a_build_is_refused_before_it_starts(self, folder: Path) -> None:
        self.install(folder, "docker", "--target")
        builder = DockerBuilder(rules=RULES._replace(secrets={"npm": BuildSecret(env="NPM_TOKEN")}), root=folder)

        with pytest.raises(Refused, match=r"docker without buildx does not support build\.secrets") as refusal:
            builder.build(recipe(), folder)

        assert refusal.value.state == "nothing has been built"


def _client_has_buildkit(program: str) -> bool:
    return "secrets" not in inputs.unsupported_keys(
        RULES._replace(secrets={"npm": BuildSecret(env="NPM_TOKEN")}), (program, "build"), {"DOCKER_BUILDKIT": "1"}
    )


@pytest.mark.docker
@pytest.mark.integration
@pytest.mark.parametrize("engine", ["docker", "buildah"])
def test_a_stage_reads_its_secrets_and_nobody_else_does(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require(engine)
    monkeypatch.setenv("NPM_TOKEN", TOKEN)
    (tmp_path / "netrc").write_text(f"password {PASSWORD}\n")
    secrets = {"npm": BuildSecret(env="NPM_TOKEN"), "netrc": BuildSecret(file="netrc")}
    observer, spec = FakeObserver(), recipe()
    rules = RULES._replace(target="tool", secrets=secrets, args={"NONCE": spec.app})  # which no cached layer has
    builder: DockerBuilder | BuildahBuilder = BuildahBuilder(rules=rules, root=tmp_path)
    if engine == "docker":
        program = next(filter(_client_has_buildkit, programs()), None)
        if program is None:
            pytest.skip("no docker here has BuildKit")
        builder = DockerBuilder(rules=rules, root=tmp_path, program=program)

    with observing_activity(observer):
        image = builder.build(spec, write_context(tmp_path / "context", READS_SECRETS))

    text = "\n".join(observer.lines)
    assert image.id
    assert "[redacted]" in text
    assert TOKEN not in text
    assert PASSWORD not in text
    _remove_image(engine, image.id)


def _remove_image(engine: str, identity: str) -> None:
    from kaizen_tasks.adapters.host.process import run

    command = ("docker", "image", "rm", "--force") if engine == "docker" else ("buildah", "rmi", "--force")
    assert run((*command, identity)).ok
