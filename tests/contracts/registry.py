"""What every Registry does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from kaizen_tasks.errors import NotFound, PushFailed
from tests.support import oci_images

if TYPE_CHECKING:
    from kaizen_tasks.ports.images import Registry
    from tests.support.oci_images import Sample


class Shelf(Protocol):
    """A registry with the repositories `team/staging` and `team/prod`; the first holds `v1.2.3`.

    Attributes:
        registry: the implementation.
        sample: what `v1.2.3` is.
    """

    registry: Registry
    sample: Sample

    def put(self, repository: str, tag: str, sample: Sample) -> None:
        """Push an image without the port, replacing the tag."""
        ...


class RegistryContract:
    """Subclasses provide the fixture `shelf`."""

    def test_describes_the_image_that_a_tag_names(self, shelf: Shelf) -> None:
        image = shelf.registry.find_image("team/staging", "v1.2.3")

        assert image is not None
        assert shelf.sample.digest == image.digest
        assert shelf.sample.root.media_type == image.media_type
        assert (image.version, image.revision) == ("v1.2.3", oci_images.REVISION)

    def test_knows_what_an_image_is_built_for(self, shelf: Shelf) -> None:
        arm = oci_images.image("v1.2.4", architecture="arm64")
        shelf.put("team/staging", "v1.2.4", arm)

        images = [shelf.registry.find_image("team/staging", tag) for tag in ("v1.2.3", "v1.2.4")]

        assert [image.platform for image in images if image] == ["linux/amd64", "linux/arm64"]

    def test_describes_the_same_image_by_its_digest(self, shelf: Shelf) -> None:
        by_digest = shelf.registry.find_image("team/staging", shelf.sample.digest)

        assert by_digest is not None
        assert shelf.registry.find_image("team/staging", "v1.2.3") == by_digest

    def test_reads_the_labels_of_an_index_from_its_amd64_child(self, shelf: Shelf) -> None:
        arm, amd = oci_images.image("v9.9.9", layers=(b"arm",)), oci_images.image("v1.3.0")
        noise = oci_images.image("v0.0.1", layers=(b"attestation",))
        index = oci_images.index(("unknown/unknown", noise), ("linux/arm64", arm), ("linux/amd64", amd))
        shelf.put("team/staging", "v1.3.0", index)

        image = shelf.registry.find_image("team/staging", "v1.3.0")

        assert image is not None
        assert (index.digest, "v1.3.0") == (image.digest, image.version)

    def test_knows_no_image_under_an_unknown_tag(self, shelf: Shelf) -> None:
        assert shelf.registry.find_image("team/staging", "v7.7.7") is None

    def test_knows_no_image_under_an_unknown_digest(self, shelf: Shelf) -> None:
        assert shelf.registry.find_image("team/staging", "sha256:" + "0" * 64) is None

    def test_finds_the_digest_that_a_tag_names(self, shelf: Shelf) -> None:
        image = shelf.registry.find_image("team/staging", "v1.2.3")

        assert image is not None
        assert shelf.registry.find_digest("team/staging", "v1.2.3") == image.digest
        assert shelf.registry.find_digest("team/staging", "v7.7.7") == ""
        assert shelf.registry.find_digest("team/absent", "v1.2.3") == ""

    def test_misses_a_repository_and_says_how_to_create_it(self, shelf: Shelf) -> None:
        with pytest.raises(NotFound, match="team/absent") as caught:
            shelf.registry.find_image("team/absent", "v1.2.3")

        assert caught.value.hint

    def test_gives_no_address_for_a_missing_repository(self, shelf: Shelf) -> None:
        with pytest.raises(NotFound, match="team/absent"):
            shelf.registry.repository_uri("team/absent")

    def test_addresses_begin_with_the_host_of_the_login(self, shelf: Shelf) -> None:
        assert f"{shelf.registry.credentials().host}/team/staging" == shelf.registry.repository_uri("team/staging")

    def test_copies_an_image_byte_for_byte(self, shelf: Shelf) -> None:
        copied = _promote(shelf, shelf.sample)

        assert shelf.sample.digest == copied
        assert shelf.registry.find_image("team/staging", "v1.2.3") == shelf.registry.find_image("team/prod", "v1.2.3")

    def test_copies_an_index_with_its_children(self, shelf: Shelf) -> None:
        amd, arm = oci_images.image("v1.3.0"), oci_images.image("v1.3.0", layers=(b"arm",))
        index = oci_images.index(("linux/amd64", amd), ("linux/arm64", arm))
        shelf.put("team/staging", "v1.3.0", index)

        _promote(shelf, index, tag="v1.3.0")

        for digest in (index.digest, amd.digest, arm.digest):
            assert shelf.registry.find_image("team/prod", digest) is not None

    def test_copying_again_moves_no_bytes(self, shelf: Shelf) -> None:
        _promote(shelf, shelf.sample)

        again = shelf.registry.copy(digest=shelf.sample.digest, source="team/staging", target="team/prod", tag="v1.2.3")

        assert (again.blobs_uploaded, again.bytes_sent) == (0, 0)

    def test_copy_does_not_replace_a_version_tag(self, shelf: Shelf) -> None:
        other = oci_images.image("v1.2.3", layers=(b"other",))
        shelf.put("team/prod", "v1.2.3", other)

        with pytest.raises(PushFailed, match="is a different image"):
            _promote(shelf, shelf.sample)

        image = shelf.registry.find_image("team/prod", "v1.2.3")
        assert image is not None
        assert other.digest == image.digest

    def test_does_not_copy_what_the_source_does_not_hold(self, shelf: Shelf) -> None:
        with pytest.raises(NotFound, match="does not hold"):
            _promote(shelf, oci_images.image("v8.8.8"), tag="v8.8.8")

    def test_points_a_tag_at_another_image(self, shelf: Shelf) -> None:
        newer = oci_images.image("v1.2.4")
        shelf.put("team/staging", "v1.2.4", newer)

        for sample in (shelf.sample, newer, newer):
            shelf.registry.move_tag(repository="team/staging", tag="latest", digest=sample.digest)

            image = shelf.registry.find_image("team/staging", "latest")
            assert image is not None
            assert sample.digest == image.digest

    def test_tag_cannot_move_to_a_missing_image(self, shelf: Shelf) -> None:
        with pytest.raises(PushFailed, match="does not hold"):
            shelf.registry.move_tag(repository="team/prod", tag="latest", digest=shelf.sample.digest)

    def test_never_shows_the_password(self, shelf: Shelf) -> None:
        login = shelf.registry.credentials()

        assert login.password.reveal() not in repr(login) + str(login.password)


def _promote(shelf: Shelf, sample: Sample, *, tag: str = "v1.2.3") -> str:
    """Copy from `team/staging` to `team/prod` and return the digest there."""
    return shelf.registry.copy(digest=sample.digest, source="team/staging", target="team/prod", tag=tag).digest
