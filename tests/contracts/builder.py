"""What every builder promises, and what its tests need."""

from __future__ import annotations

import base64
import json
import os
import shutil
import uuid
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Protocol

import pytest
from attrs import evolve, frozen

from kaizen_tasks.adapters.build.select import find_working_engine
from kaizen_tasks.config.tables import BuildRules
from kaizen_tasks.domain.image import BuildSpec
from kaizen_tasks.errors import BuildFailed, PushFailed, Refused
from kaizen_tasks.ports.images import Login
from kaizen_tasks.ports.secrets import Secret
from tests.support.waiting import HANG_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.ports.images import Builder

RULES = BuildRules(
    context=".",
    dockerfile="Dockerfile",
    version_arg="VERSION",
    platform="linux/amd64",
    engine="auto",
    command=("/bin/busybox", "env"),
    args={},
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
DOCKERFILE = """\
FROM scratch
ARG VERSION=dev
COPY busybox /bin/busybox
ENV APP_VERSION=$VERSION
CMD ["/bin/busybox", "env"]
"""


def recipe() -> BuildSpec:
    """Return a build spec with a unique app name."""
    app = f"kaizen-test-{uuid.uuid4().hex[:12]}"
    return BuildSpec(
        app=app,
        version="v1.2.3",
        revision="0123456789abcdef0123456789abcdef01234567",
        created_at=datetime(2026, 11, 22, 10, 0, tzinfo=UTC),
        source=f"https://example.com/{app}",
    )


def write_context(folder: Path, dockerfile: str = DOCKERFILE) -> Path:
    """Write a tree that every builder can build: a Dockerfile and a static program."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("busybox-static is not installed")
    folder.mkdir()
    shutil.copy(busybox, folder / "busybox")
    (folder / "Dockerfile").write_text(dockerfile)
    return folder


def require(engine: str) -> None:
    """Skip a test when an engine does not work here; fail it where it has to."""
    try:
        find_working_engine(engine)
    except Refused as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


class Shelf(Protocol):
    """A registry, read without the port."""

    login: Login

    def labels(self, repository: str, tag: str) -> dict[str, str] | None:
        """Return the labels of an image, or None when there is no such image."""
        ...


@frozen(kw_only=True)
class DistributionShelf:
    """Any registry, read without the project's own client."""

    login: Login

    def labels(self, repository: str, tag: str) -> dict[str, str] | None:
        """Return the labels of an image, or None when there is no such image."""
        config = self.config(repository, tag)
        if config is None:
            return None
        runtime = config["config"]
        assert isinstance(runtime, dict)
        return dict(runtime["Labels"])

    def config(self, repository: str, tag: str) -> dict[str, object] | None:
        """Return an image's configuration."""
        manifest = self.manifest(repository, tag)
        if manifest is None:
            return None
        described = manifest["config"]
        assert isinstance(described, dict)
        return self._get(f"/v2/{repository}/blobs/{described['digest']}")

    def manifest(self, repository: str, tag: str) -> dict[str, object] | None:
        """Return a manifest; an index is none."""
        return self._get(f"/v2/{repository}/manifests/{tag}")

    def _get(self, path: str) -> dict[str, object] | None:
        known = f"{self.login.username}:{self.login.password.reveal()}".encode()
        headers = {
            "Authorization": f"Basic {base64.b64encode(known).decode()}",
            "Accept": ", ".join(MANIFESTS),
        }
        connection = HTTPConnection(self.login.host, timeout=HANG_SECONDS)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        return dict(json.loads(content)) if answer.status == 200 else None


class BuilderContract:
    """Subclasses give the fixtures `builder`, `shelf`, `context` and `broken`."""

    @pytest.fixture
    def recipe(self) -> BuildSpec:
        """Something to build."""
        return recipe()

    @pytest.fixture
    def context(self, tmp_path: Path) -> Path:
        """A tree that can be built."""
        return write_context(tmp_path / "context")

    @pytest.fixture
    def broken(self, tmp_path: Path) -> Path:
        """A tree that cannot be built."""
        (tmp_path / "broken").mkdir()
        return tmp_path / "broken"

    def test_finds_nothing_before_a_build(self, builder: Builder, recipe: BuildSpec) -> None:
        assert builder.find_image(recipe) is None

    def test_finds_what_it_built(self, builder: Builder, recipe: BuildSpec, context: Path) -> None:
        built = builder.build(recipe, context)

        assert builder.find_image(recipe) == built

    def test_does_not_find_another_revision_of_the_same_version(
        self, builder: Builder, recipe: BuildSpec, context: Path
    ) -> None:
        builder.build(recipe, context)

        assert builder.find_image(evolve(recipe, revision="f" * 40)) is None

    def test_replaces_the_image_of_another_revision(self, builder: Builder, recipe: BuildSpec, context: Path) -> None:
        builder.build(recipe, context)
        newer = evolve(recipe, revision="f" * 40)
        built = builder.build(newer, context)

        assert builder.find_image(newer) == built

    def test_failed_build_raises(self, builder: Builder, recipe: BuildSpec, broken: Path) -> None:
        with pytest.raises(BuildFailed) as failure:
            builder.build(recipe, broken)

        assert len(str(failure.value).splitlines()) <= 3
        assert builder.find_image(recipe) is None

    def test_pushes_an_image_with_its_labels(
        self, builder: Builder, shelf: Shelf, recipe: BuildSpec, context: Path
    ) -> None:
        image = builder.build(recipe, context)
        repository = f"team/{recipe.app}"
        builder.push(image, repository_uri=f"{shelf.login.host}/{repository}", tag="v1.2.3", login=shelf.login)

        labels = shelf.labels(repository, "v1.2.3")
        assert labels is not None
        assert labels.items() >= recipe.labels.items()

    def test_pushes_the_same_image_again(
        self, builder: Builder, shelf: Shelf, recipe: BuildSpec, context: Path
    ) -> None:
        image = builder.build(recipe, context)
        address = f"{shelf.login.host}/{recipe.app}"
        for _ in range(2):
            builder.push(image, repository_uri=address, tag="v1.2.3", login=shelf.login)

        assert shelf.labels(recipe.app, "v1.2.3") is not None
        assert builder.find_image(recipe) == image

    def test_does_not_push_with_a_wrong_password(
        self, builder: Builder, shelf: Shelf, recipe: BuildSpec, context: Path
    ) -> None:
        image = builder.build(recipe, context)
        wrong = evolve(shelf.login, password=Secret("wrong-password"))

        with pytest.raises(PushFailed) as failure:
            builder.push(image, repository_uri=f"{wrong.host}/{recipe.app}", tag="v1.2.3", login=wrong)

        assert len(str(failure.value).splitlines()) <= 3
        assert "wrong-password" not in str(failure.value)
        assert shelf.labels(recipe.app, "v1.2.3") is None
