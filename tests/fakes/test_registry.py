"""The fake registry keeps a registry's promises."""

from __future__ import annotations

import pytest
from attrs import frozen

from kaizen_tasks.domain.image import Image
from kaizen_tasks.errors import PushFailed
from tests.contracts.registry import RegistryContract
from tests.fakes.registry import FakeRegistry
from tests.support import oci_images


@frozen
class FakeShelf:
    registry: FakeRegistry
    sample: oci_images.Sample

    def put(self, repository: str, tag: str, sample: oci_images.Sample) -> None:
        children = [Image(digest=each.digest, media_type=each.media_type) for each in sample.children]
        image = Image(
            digest=sample.digest,
            media_type=sample.root.media_type,
            version=sample.version,
            revision=oci_images.REVISION,
            platform=sample.platform,
        )
        self.registry.put(repository, tag, image, *children)


class TestContract(RegistryContract):
    @pytest.fixture
    def shelf(self) -> FakeShelf:
        registry = FakeRegistry()
        registry.create("team/staging", "team/prod")
        shelf = FakeShelf(registry, oci_images.image())
        shelf.put("team/staging", "v1.2.3", shelf.sample)
        return shelf


def test_fails_once_when_told_to() -> None:
    registry = FakeRegistry()
    registry.create("prod")
    registry.put("prod", "v1.2.3", Image(digest="sha256:1", media_type="any"))
    registry.failures["prod"] = PushFailed("throttled")

    with pytest.raises(PushFailed, match="throttled"):
        registry.move_tag(repository="prod", tag="latest", digest="sha256:1")
    registry.move_tag(repository="prod", tag="latest", digest="sha256:1")

    assert registry.repositories["prod"].tags["latest"] == "sha256:1"
    assert registry.calls == ["point prod:latest"] * 2
