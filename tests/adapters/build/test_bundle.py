"""Images without an engine."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.adapters.build.bundle import BundleBuilder
from kaizen_tasks.config.tables import BuildRules
from kaizen_tasks.errors import BuildFailed
from tests.contracts.builder import BuilderContract, DistributionShelf, recipe
from tests.support.docker_registry import DockerRegistry, docker_registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kaizen_tasks.domain.image import LocalImage
    from kaizen_tasks.ports.images import Builder

RECIPE = evolve(recipe(), app="coach", source="https://example.com/app")


def bundler(
    store: Path, command: tuple[str, ...] = ("python", "app.py"), inherit: tuple[str, ...] = ()
) -> BundleBuilder:
    return BundleBuilder(rules=BuildRules(command=command, inherit=inherit), store=store)


def blob(image: LocalImage, digest: str) -> bytes:
    return Path(image.name, "blobs", digest.replace(":", "/")).read_bytes()


def manifest(image: LocalImage) -> Mapping[str, object]:
    return dict(json.loads(blob(image, image.id)))


def config(image: LocalImage) -> Mapping[str, object]:
    described = manifest(image)["config"]
    assert isinstance(described, dict)
    return dict(json.loads(blob(image, described["digest"])))


def entries(image: LocalImage) -> dict[str, tarfile.TarInfo]:
    layers = manifest(image)["layers"]
    assert isinstance(layers, list)
    with tarfile.open(Path(image.name, "blobs", layers[0]["digest"].replace(":", "/"))) as layer:
        return {entry.name: entry for entry in layer}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small app with folders, links and executable files."""
    folder = tmp_path / "tree"
    (folder / "static" / "empty").mkdir(parents=True)
    (folder / "app.py").write_text("print('hello')\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o775)
    (folder / "static" / "naïve.css").write_text("")
    (folder / "static" / "link").symlink_to("../app.py")
    return folder


@pytest.mark.integration
class TestContract(BuilderContract):
    """The bundle builder as a builder."""

    @pytest.fixture
    def builder(self, tmp_path: Path) -> Builder:
        """A builder with an empty store."""
        return bundler(tmp_path / "store")

    @pytest.fixture
    def broken(self, tmp_path: Path) -> Path:
        """A tree that depends on the machine."""
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "passwords").symlink_to("/etc/passwd")
        return tmp_path / "broken"

    @pytest.fixture
    def shelf(self, tmp_path: Path) -> Iterator[DistributionShelf]:
        """Debian's docker-registry."""
        if docker_registry() is None:
            pytest.skip("docker-registry is not installed")
        (tmp_path / "registry").mkdir()
        with DockerRegistry(tmp_path / "registry") as registry:
            yield DistributionShelf(login=registry.login)


def test_keeps_the_tree_below_app(tmp_path: Path, tree: Path) -> None:
    found = entries(bundler(tmp_path / "store").build(RECIPE, tree))

    assert list(found) == [
        "app",
        "app/app.py",
        "app/run.sh",
        "app/static",
        "app/static/empty",
        "app/static/link",
        "app/static/naïve.css",
    ]
    assert found["app/static/link"].linkname == "../app.py"


def test_layer_does_not_depend_on_the_machine(tmp_path: Path, tree: Path) -> None:
    found = entries(bundler(tmp_path / "store").build(RECIPE, tree)).values()

    assert {(each.uid, each.gid, each.uname, each.gname) for each in found} == {(0, 0, "", "")}
    assert {each.mtime for each in found} == {RECIPE.created_at.timestamp()}


def test_modes_are_those_that_git_tracks(tmp_path: Path, tree: Path) -> None:
    found = entries(bundler(tmp_path / "store").build(RECIPE, tree))

    modes = [found[name].mode for name in ("app/app.py", "app/run.sh", "app/static")]
    assert modes == [0o644, 0o755, 0o755]


def test_config_has_command_environment_and_labels(tmp_path: Path, tree: Path) -> None:
    image = bundler(tmp_path / "store").build(RECIPE, tree)

    runtime = config(image)["config"]
    assert isinstance(runtime, dict)
    assert runtime["Cmd"] == ["python", "app.py"]
    assert runtime["WorkingDir"] == "/app"
    assert {"VERSION=v1.2.3", "APP_VERSION=v1.2.3"} <= set(runtime["Env"])
    assert runtime["Labels"] == {**RECIPE.labels, "dev.kaizen.image": "bundle"}


def test_every_blob_matches_its_digest(tmp_path: Path, tree: Path) -> None:
    image = bundler(tmp_path / "store").build(RECIPE, tree)

    blobs = list(Path(image.name, "blobs", "sha256").iterdir())
    assert len(blobs) == 3
    assert all(each.name == hashlib.sha256(each.read_bytes()).hexdigest() for each in blobs)


def test_the_same_commit_gives_the_same_digest(tmp_path: Path, tree: Path) -> None:
    first = bundler(tmp_path / "one").build(RECIPE, tree)
    again = shutil.copytree(tree, tmp_path / "again", symlinks=True, copy_function=shutil.copyfile)
    (again / "run.sh").chmod(0o700)
    os.utime(again / "app.py", (1, 1))

    assert bundler(tmp_path / "two").build(RECIPE, again).id == first.id


def test_the_digest_of_a_known_tree_never_changes(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "app.py").write_text("print('hello')\n")

    image = bundler(tmp_path / "store").build(RECIPE, tmp_path / "tree")

    assert image.id == "sha256:3746288a00467141162d99ea6a669e75c8c9e8a3dc9c117c5a5a2fb2a5ff7f9f"


def test_changed_command_rebuilds_the_image(tmp_path: Path, tree: Path) -> None:
    bundler(tmp_path / "store").build(RECIPE, tree)
    changed = bundler(tmp_path / "store", ("sh", "run.sh"))

    assert changed.find_image(RECIPE) is None
    assert changed.build(RECIPE, tree) == changed.find_image(RECIPE)


def test_leaves_nothing_in_the_store_when_it_fails(tmp_path: Path, tree: Path) -> None:
    (tree / "zz").symlink_to("../../outside")

    with pytest.raises(BuildFailed, match="zz points outside the tree"):
        bundler(tmp_path / "store").build(RECIPE, tree)

    assert list((tmp_path / "store").iterdir()) == []


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "static/../../outside", "loop", "way/out"])
def test_link_out_of_the_tree_is_refused(tmp_path: Path, tree: Path, target: str) -> None:
    (tree / "way").symlink_to("..")
    (tree / "loop").symlink_to(target)

    with pytest.raises(BuildFailed, match="points outside the tree"):
        bundler(tmp_path / "store").build(RECIPE, tree)


def test_special_file_is_refused(tmp_path: Path, tree: Path) -> None:
    os.mkfifo(tree / "pipe")

    with pytest.raises(BuildFailed, match="pipe is not a file"):
        bundler(tmp_path / "store").build(RECIPE, tree)


def test_dockerfile_that_never_ends_is_not_read(tmp_path: Path, tree: Path) -> None:
    (tree / "Dockerfile").unlink(missing_ok=True)
    (tree / "Dockerfile").symlink_to("/dev/zero")

    with pytest.raises(BuildFailed, match="Dockerfile points outside the tree"):
        bundler(tmp_path / "store").build(RECIPE, tree)


def runtime(image: LocalImage) -> Mapping[str, object]:
    found = config(image)["config"]
    assert isinstance(found, dict)
    return found


def with_dockerfile(tree: Path, text: str) -> Path:
    (tree / "Dockerfile").write_text(text)
    return tree


def test_command_environment_folder_and_ports_are_those_of_the_last_stage(tmp_path: Path, tree: Path) -> None:
    text = (
        'ARG FOLDER=srv\nFROM node AS css\nCMD ["node"]\nFROM python\n'
        "ARG VERSION=dev FOLDER\nENV APP_VERSION=${VERSION#v}\n"
        'ENV LEVEL=info\nWORKDIR /$FOLDER/web\nEXPOSE 8000/tcp\nENTRYPOINT ["./run.sh"]\nCMD ["sh", "-c", "true"]\n'
    )
    image = bundler(tmp_path / "store", ()).build(RECIPE, with_dockerfile(tree, text))

    found = runtime(image)
    assert (found["Entrypoint"], found["Cmd"]) == (["./run.sh"], ["sh", "-c", "true"])
    assert (found["WorkingDir"], found["ExposedPorts"]) == ("/srv/web", {"8000/tcp": {}})
    assert {"APP_VERSION=1.2.3", "VERSION=v1.2.3", "LEVEL=info"} <= {*found["Env"]}  # type: ignore[misc]
    assert {"srv", "srv/web", "srv/web/app.py"} <= entries(image).keys()


def test_configured_command_replaces_that_of_the_dockerfile(tmp_path: Path, tree: Path) -> None:
    text = 'FROM python\nWORKDIR /srv\nENTRYPOINT ["missing"]\nCMD ["argument"]\n'
    found = runtime(bundler(tmp_path / "store").build(RECIPE, with_dockerfile(tree, text)))

    assert (found.get("Entrypoint"), found["Cmd"], found["WorkingDir"]) == (None, ["python", "app.py"], "/srv")


def test_files_are_also_where_the_dockerfile_copies_them(tmp_path: Path, tree: Path) -> None:
    text = (
        "FROM python\nCOPY static/ /var/www/\nCOPY app.py run.s? missing /opt/\nCOPY run.sh /usr/local/bin/start\n"
        "ADD https://example.com/x /x\nCOPY ../outside /y\nCOPY --from=0 /z /z\nCOPY . /code\nCMD start\n"
    )
    names = entries(bundler(tmp_path / "store", ()).build(RECIPE, with_dockerfile(tree, text))).keys()

    assert {"var/www/naïve.css", "opt/app.py", "opt/run.sh", "usr/local/bin/start", "code/app.py"} <= names
    assert not {"app.py", "app", "x", "y", "z"} & names


def test_names_of_inherited_variables_are_in_the_image_and_no_values(tmp_path: Path, tree: Path) -> None:
    image = bundler(tmp_path / "store", inherit=("PATH", "VIRTUAL_ENV")).build(RECIPE, tree)

    labels = runtime(image)["Labels"]
    assert isinstance(labels, dict)
    assert labels["dev.kaizen.inherit"] == "PATH,VIRTUAL_ENV"
    assert os.environ["PATH"] not in str(config(image))


def test_program_of_an_inherited_path_is_found(tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gunicorn").write_text("#!/bin/sh\n")
    (tmp_path / "bin" / "gunicorn").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with_dockerfile(tree, "FROM python\nWORKDIR /app\nCMD exec gunicorn app:app\n")

    with pytest.raises(BuildFailed, match="cannot run gunicorn: it is neither in the commit nor among") as failure:
        bundler(tmp_path / "store", ()).build(RECIPE, tree)
    assert 'build.inherit = ["PATH", "VIRTUAL_ENV"]' in failure.value.hint
    assert bundler(tmp_path / "store", (), ("PATH",)).build(RECIPE, tree).id.startswith("sha256:")


def test_missing_command_is_refused(tmp_path: Path, tree: Path) -> None:
    for text, reason in (
        ("", "has no ENTRYPOINT or CMD"),
        ("FROM nginx:1.27\nCOPY . /x\n", "that of nginx:1.27 is unknown"),
    ):
        with pytest.raises(BuildFailed, match=reason) as failure:
            bundler(tmp_path / "store", ()).build(RECIPE, with_dockerfile(tree, text))
        assert "set build.command" in failure.value.hint


def test_program_of_another_stage_is_refused(tmp_path: Path, tree: Path) -> None:
    text = (
        'FROM golang AS build\nRUN go build -o /api .\nFROM scratch\nCOPY --from=build /api /api\nENTRYPOINT ["/api"]\n'
    )

    with pytest.raises(BuildFailed) as failure:
        bundler(tmp_path / "store", ()).build(RECIPE, with_dockerfile(tree, text))

    assert (
        failure.value.message == "a bundle cannot run /api: stage build makes it (Dockerfile:4), and no stage is built"
    )
    assert not (tmp_path / "store").exists()


def test_argument_that_another_stage_makes_is_refused_unless_the_commit_has_it(tmp_path: Path, tree: Path) -> None:
    text = 'FROM node AS build\nFROM node\nWORKDIR /srv\nCOPY --from=build /x /srv\nCMD ["sh", "/srv/{}"]\n'

    with pytest.raises(BuildFailed, match=r"cannot run /srv/dist\.js: stage build makes it"):
        bundler(tmp_path / "store", ()).build(RECIPE, with_dockerfile(tree, text.format("dist.js")))
    image = bundler(tmp_path / "store", ()).build(RECIPE, with_dockerfile(tree, text.format("run.sh")))
    assert "srv/run.sh" in entries(image)


def test_program_is_executable_whatever_git_says(tmp_path: Path, tree: Path) -> None:
    (tree / "run.sh").chmod(0o644)
    text = 'FROM python\nWORKDIR /srv\nCOPY . .\nRUN chmod +x run.sh\nCMD ["/srv/run.sh"]\n'
    image = bundler(tmp_path / "store", ()).build(RECIPE, with_dockerfile(tree, text))

    found = entries(image)
    assert (found["srv/run.sh"].mode, found["srv/app.py"].mode) == (0o755, 0o644)


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed")
def test_is_a_layout_that_others_can_read(tmp_path: Path, tree: Path) -> None:
    image = bundler(tmp_path / "store").build(RECIPE, tree)

    command = ["skopeo", "inspect", f"oci:{image.name}:v1.2.3"]
    seen = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert seen["Digest"] == image.id
    assert seen["Labels"]["org.opencontainers.image.revision"] == RECIPE.revision


def test_layout_without_its_layer_is_not_found(tmp_path: Path, tree: Path) -> None:
    builder = bundler(tmp_path / "store")
    image = builder.build(RECIPE, tree)
    layers = manifest(image)["layers"]
    assert isinstance(layers, list)
    Path(image.name, "blobs", layers[0]["digest"].replace(":", "/")).unlink()

    assert builder.find_image(RECIPE) is None
    assert builder.build(RECIPE, tree) == image
