"""Images by docker: every docker on PATH is tried, since their build programs differ."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.adapters.build.docker import DockerBuilder
from kaizen_tasks.errors import BuildFailed, PushFailed, Unreachable
from kaizen_tasks.ports.activity import observing_activity
from tests.contracts.builder import (
    DOCKERFILE,
    RULES,
    BuilderContract,
    DistributionShelf,
    recipe,
    require,
    write_context,
)
from tests.fakes.activity import FakeObserver
from tests.support.docker_registry import DockerRegistry, docker_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.image import BuildSpec
    from kaizen_tasks.ports.images import Builder

pytestmark = pytest.mark.integration

BOOM = 'RUN ["/bin/busybox", "sh", "-c", "echo boom; exit 3"]\n'


def programs() -> list[str]:
    """Return every docker on PATH, once."""
    found = {Path(folder, "docker").resolve() for folder in os.environ["PATH"].split(":")}
    return sorted(str(path) for path in found if path.is_file()) or ["docker"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with the user's own docker configuration: a broken credential store and a context."""
    require("docker")
    endpoint = _output("docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    _output("docker", "context", "create", "mine", "--docker", f"host={endpoint}")
    theirs = {"credsStore": "does-not-exist", "auths": {"example.com": {}}, "currentContext": "mine"}
    (tmp_path / "home/.docker/config.json").write_text(json.dumps(theirs))
    return tmp_path / "home"


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[DistributionShelf]:
    """Debian's docker-registry."""
    if docker_registry() is None:
        pytest.skip("docker-registry is not installed")
    (tmp_path / "registry").mkdir()
    with DockerRegistry(tmp_path / "registry") as registry:
        yield DistributionShelf(login=registry.login)


@pytest.fixture(name="recipe")
def removed_recipe() -> Iterator[BuildSpec]:
    """A build spec whose images are removed afterwards."""
    made = recipe()
    yield made
    mine = f"label=org.opencontainers.image.source={made.source}"
    for image in _output("docker", "image", "ls", "--quiet", "--filter", mine).split():
        _output("docker", "image", "rm", "--force", image)


def _output(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.docker
@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("program", programs(), scope="class")
class TestContract(BuilderContract):
    """Docker as a builder."""

    @pytest.fixture
    def builder(self, program: str) -> Builder:
        """Docker, by one of its programs."""
        return DockerBuilder(rules=RULES, program=program)

    @pytest.fixture
    def recipe(self, recipe: BuildSpec) -> BuildSpec:
        """A build spec whose images are removed afterwards."""
        return recipe

    @pytest.fixture
    def shelf(self, shelf: DistributionShelf) -> DistributionShelf:
        """Debian's docker-registry."""
        return shelf

    def test_passes_the_version_to_the_build(
        self, builder: Builder, shelf: DistributionShelf, recipe: BuildSpec, context: Path
    ) -> None:
        image = builder.build(recipe, context)
        builder.push(image, repository_uri=f"{shelf.login.host}/app", tag="v1.2.3", login=shelf.login)

        config = shelf.config("app", "v1.2.3")
        assert config is not None
        assert "APP_VERSION=v1.2.3" in str(config["config"])

    def test_failed_build_quotes_its_last_line(self, builder: Builder, recipe: BuildSpec, tmp_path: Path) -> None:
        context = write_context(tmp_path / "failing", DOCKERFILE + BOOM)

        with pytest.raises(BuildFailed) as failure:
            builder.build(recipe, context)

        assert "boom" in str(failure.value)
        assert len(str(failure.value).splitlines()) <= 3


class Shim:
    """A docker on PATH that records its arguments and then runs the real one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        real = shutil.which("docker")
        self._folder.mkdir()
        script = self._folder / "docker"
        script.write_text(
            "#!/bin/sh\n"
            f'printf "%s\\n" "$@" >>"{folder}/argv"\nenv >>"{folder}/env"\n'
            f'if [ "$1" = --config ]; then stat -c %a "$2" "$2/config.json" >"{folder}/modes"; '
            f'echo "$2" >"{folder}/where"; cp -rL "$2" "{folder}/config"; fi\n'
            f'exec {real} "$@"\n'
        )
        script.chmod(0o755)

    def note(self, name: str) -> str:
        """Return the recorded arguments."""
        return (self._folder / name).read_text()


@pytest.mark.docker
def test_push_hides_the_password(
    home: Path, recipe: BuildSpec, shelf: DistributionShelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (home / ".docker/config.json").read_bytes()
    shim = Shim(tmp_path / "shim")
    monkeypatch.setenv("PATH", f"{tmp_path / 'shim'}:{os.environ['PATH']}")
    observer = FakeObserver()
    builder = DockerBuilder(rules=RULES)
    with observing_activity(observer):
        image = builder.build(recipe, write_context(tmp_path / "context"))
        builder.push(image, repository_uri=f"{shelf.login.host}/app", tag="v1.2.3", login=shelf.login)

    password = shelf.login.password.reveal()
    config = json.loads(shim.note("config/config.json"))
    secret = config["auths"][shelf.login.host]["auth"]
    seen = shim.note("argv") + shim.note("env") + "".join(observer.lines)
    assert "push" in seen
    assert password not in seen
    assert secret not in seen
    assert shim.note("modes").split() == ["700", "600"]
    assert not Path(shim.note("where").strip()).exists()
    assert (home / ".docker/config.json").read_bytes() == before


@pytest.mark.docker
def test_a_push_goes_through_the_users_own_context(
    home: Path, recipe: BuildSpec, shelf: DistributionShelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = Shim(tmp_path / "shim")
    monkeypatch.setenv("PATH", f"{tmp_path / 'shim'}:{os.environ['PATH']}")
    builder = DockerBuilder(rules=RULES)
    image = builder.build(recipe, write_context(tmp_path / "context"))
    builder.push(image, repository_uri=f"{shelf.login.host}/app", tag="v1.2.3", login=shelf.login)

    config = json.loads(shim.note("config/config.json"))
    assert config["currentContext"] == "mine"
    assert set(config) & {"credsStore", "credHelpers"} == set()
    assert set(config["auths"]) == {shelf.login.host}
    assert (tmp_path / "shim/config/contexts/meta").is_dir()
    assert (home / ".docker/contexts/meta").is_dir()


@pytest.mark.docker
@pytest.mark.usefixtures("home")
def test_push_removes_its_temporary_tag(recipe: BuildSpec, shelf: DistributionShelf, tmp_path: Path) -> None:
    builder = DockerBuilder(rules=RULES)
    image = builder.build(recipe, write_context(tmp_path / "context"))
    wrong = evolve(shelf.login, username="nobody")
    for login in (shelf.login, wrong):
        try:
            builder.push(image, repository_uri=f"{shelf.login.host}/app", tag="v1.2.3", login=login)
        except PushFailed:
            assert login is wrong

    names = _output("docker", "image", "inspect", "--format", "{{json .RepoTags}}", image.name)
    assert json.loads(names) == [image.name]


@pytest.mark.docker
@pytest.mark.usefixtures("home")
def test_does_not_find_an_image_of_another_platform(recipe: BuildSpec, tmp_path: Path) -> None:
    DockerBuilder(rules=RULES).build(recipe, write_context(tmp_path / "context"))

    assert DockerBuilder(rules=RULES._replace(platform="linux/arm64")).find_image(recipe) is None


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fake docker that prints files, and records its arguments and variables."""
    script = tmp_path / "docker"
    script.write_text(
        f'#!/bin/sh\ncd "{tmp_path}"\nprintf "%s " "$@" >>argv; echo >>argv\n'
        'case "$1 $2" in\n'
        '"buildx version") test -e buildx; exit;;\n'
        '"version --format") cat client; exit;;\n'
        '"image inspect") cat seen; exit;;\n'
        "esac\n"
        'echo "BUILDKIT=$DOCKER_BUILDKIT NOATTEST=$BUILDX_NO_DEFAULT_ATTESTATIONS" >>env\n'
    )
    script.chmod(0o755)
    monkeypatch.delenv("DOCKER_BUILDKIT", raising=False)
    (tmp_path / "seen").write_text(f"sha256:abc linux/amd64 {recipe().revision}\n")
    (tmp_path / "client").write_text("28.2.2\n")
    return script


def built_with(fake: Path) -> str:
    DockerBuilder(rules=RULES, program=str(fake)).build(recipe(), fake.parent)
    return (fake.parent / "argv").read_text() + (fake.parent / "env").read_text()


def test_buildx_builds_one_manifest_without_attestations(fake: Path) -> None:
    (fake.parent / "buildx").touch()

    said = built_with(fake)
    assert "buildx build --load --platform linux/amd64 " in said
    assert "NOATTEST=1" in said


def test_old_client_builds_with_its_own_buildkit(fake: Path) -> None:
    (fake.parent / "client").write_text("20.10.24+dfsg1\n")

    assert "BUILDKIT=1" in built_with(fake)


def test_client_without_buildkit_uses_the_legacy_builder(fake: Path) -> None:
    said = built_with(fake)

    assert "\nbuild --force-rm --platform linux/amd64 " in said
    assert "BUILDKIT= " in said


def test_image_of_another_platform_is_refused_after_the_build(fake: Path) -> None:
    (fake.parent / "seen").write_text("sha256:abc linux/arm64 \n")

    with pytest.raises(BuildFailed, match="not for linux/amd64"):
        built_with(fake)


def test_silent_daemon_is_unreachable(fake: Path) -> None:
    fake.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon at x' >&2; exit 1\n")
    fake.chmod(stat.S_IRWXU)

    with pytest.raises(Unreachable, match="Cannot connect to the Docker daemon"):
        DockerBuilder(rules=RULES, program=str(fake)).find_image(recipe())
