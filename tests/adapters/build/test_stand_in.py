"""Images that only answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from attrs import evolve

from kaizen_tasks.adapters.build.stand_in import StandInBuilder
from kaizen_tasks.errors import PushFailed
from kaizen_tasks.ports.images import Login
from kaizen_tasks.ports.secrets import Secret
from tests.contracts.builder import DistributionShelf, recipe
from tests.support.docker_registry import DockerRegistry, docker_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

LABELS = {"dev.kaizen.image": "stand-in"}
RECIPE = evolve(recipe(), app="coach")


@pytest.fixture
def builder(tmp_path: Path) -> StandInBuilder:
    return StandInBuilder(labels=LABELS, platform="linux/amd64", store=tmp_path / "store")


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[DistributionShelf]:
    """Debian's docker-registry."""
    if docker_registry() is None:
        pytest.skip("docker-registry is not installed")
    (tmp_path / "registry").mkdir()
    with DockerRegistry(tmp_path / "registry") as registry:
        yield DistributionShelf(login=registry.login)


def test_images_of_other_commits_and_versions_differ_and_equal_ones_do_not(builder: StandInBuilder) -> None:
    specs = (RECIPE, RECIPE, evolve(RECIPE, revision="f" * 40), evolve(RECIPE, version="v1.2.4"))

    ids = [builder.build(spec, Path("absent")).id for spec in specs]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert builder.find_image(RECIPE) is not None


@pytest.mark.integration
def test_pushes_to_a_registry_on_this_machine_with_all_labels(
    builder: StandInBuilder, shelf: DistributionShelf
) -> None:
    image = builder.build(RECIPE, Path("absent"))
    builder.push(image, repository_uri=f"{shelf.login.host}/team/app", tag="v1.2.3", login=shelf.login)

    assert shelf.labels("team/app", "v1.2.3") == {**RECIPE.labels, **LABELS}


@pytest.mark.parametrize(
    "url", ["https://123456789012.dkr.ecr.eu-west-1.amazonaws.com", "https://registry.example:5000"]
)
def test_other_registries_are_not_sent_a_stand_in(builder: StandInBuilder, url: str) -> None:
    login = Login(url=url, username="AWS", password=Secret("x"))
    image = builder.build(RECIPE, Path("absent"))

    with pytest.raises(PushFailed, match="is not pushed to") as failure:
        builder.push(image, repository_uri=f"{login.host}/app", tag="v1.2.3", login=login)

    assert failure.value.state == "nothing was uploaded"
