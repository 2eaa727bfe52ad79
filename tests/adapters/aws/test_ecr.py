"""ECR, on the local cloud."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from attrs import frozen

from kaizen_tasks.adapters.aws.ecr import EcrRegistry
from kaizen_tasks.adapters.aws.ecr_credentials import RENEWAL_MARGIN
from kaizen_tasks.adapters.build.stand_in import StandInBuilder
from kaizen_tasks.adapters.host.clock import SystemClock
from kaizen_tasks.adapters.oci.client import OciClient
from kaizen_tasks.adapters.oci.content_cache import ContentCache
from kaizen_tasks.adapters.oci.transport import StaticCredentials
from kaizen_tasks.errors import PushFailed, Refused
from kaizen_tasks.ports.images import Login
from tests.contracts.builder import recipe
from tests.contracts.registry import RegistryContract
from tests.fakes.clock import FakeClock
from tests.support import oci_images

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.adapters.aws.session import Aws
    from kaizen_tasks.domain.image import CopyStats, Image
    from tests.support.local_cloud import Cloud

REPOSITORIES = ("team/staging", "team/prod")


@frozen
class EcrShelf:
    registry: EcrRegistry
    sample: oci_images.Sample

    def put(self, repository: str, tag: str, sample: oci_images.Sample) -> None:
        sample.push(OciClient(StaticCredentials(self.registry.credentials()), clock=SystemClock()), repository, tag)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture
def shelf(aws: Aws, clock: FakeClock) -> EcrShelf:
    ecr = aws.ecr()
    for name in REPOSITORIES:
        with suppress(ecr.exceptions.RepositoryNotFoundException):
            ecr.delete_repository(repositoryName=name, force=True)
        ecr.create_repository(repositoryName=name)
    shelf = EcrShelf(EcrRegistry(aws, clock=clock), oci_images.image())
    shelf.put("team/staging", "v1.2.3", shelf.sample)
    return shelf


class TestEcr(RegistryContract):
    def test_missing_repository_hints_at_create_repository(self, shelf: EcrShelf) -> None:
        with pytest.raises(Exception, match="--repository-name team/absent"):
            shelf.registry.find_image("team/absent", "v1.2.3")

    def test_mounts_layers_when_the_account_allows_it(self, shelf: EcrShelf, aws: Aws) -> None:
        aws.ecr().put_account_setting(name="BLOB_MOUNTING", value="ENABLED")

        copied = _promote(shelf)

        assert (copied.blobs_mounted, copied.blobs_uploaded, copied.bytes_sent) == (3, 0, 0)

    def test_copying_again_mounts_nothing(self, shelf: EcrShelf, aws: Aws) -> None:
        """The layers that are there are asked for in one request: mounts are limited to a hundred a second."""
        aws.ecr().put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        copies = [_promote(shelf), _promote(shelf)]
        assert [copy.blobs_mounted for copy in copies] == [3, 0]

    def test_sends_layers_when_the_account_does_not_mount(self, shelf: EcrShelf, aws: Aws) -> None:
        aws.ecr().put_account_setting(name="BLOB_MOUNTING", value="DISABLED")

        copied = _promote(shelf)

        assert (copied.blobs_mounted, copied.blobs_uploaded) == (0, 3)
        assert sum(map(len, shelf.sample.blobs.values())) == copied.bytes_sent

    def test_latest_moves_when_it_is_excluded_from_immutability(self, shelf: EcrShelf, aws: Aws) -> None:
        aws.ecr().put_image_tag_mutability(
            repositoryName="team/staging",
            imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
            imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "latest"}],
        )
        newer = oci_images.image("v1.2.4")
        shelf.put("team/staging", "v1.2.4", newer)
        shelf.registry.move_tag(repository="team/staging", tag="latest", digest=shelf.sample.digest)

        shelf.registry.move_tag(repository="team/staging", tag="latest", digest=newer.digest)

        image = shelf.registry.find_image("team/staging", "latest")
        assert image is not None
        assert newer.digest == image.digest

    def test_immutable_latest_hints_at_setup(self, shelf: EcrShelf, aws: Aws) -> None:
        newer = oci_images.image("v1.2.4")
        shelf.put("team/staging", "latest", newer)
        aws.ecr().put_image_tag_mutability(repositoryName="team/staging", imageTagMutability="IMMUTABLE")

        with pytest.raises(PushFailed, match="immutable") as caught:
            shelf.registry.move_tag(repository="team/staging", tag="latest", digest=shelf.sample.digest)

        assert "inv setup" in caught.value.hint

    def test_immutable_tag_refuses_another_image(self, shelf: EcrShelf, aws: Aws) -> None:
        aws.ecr().put_image_tag_mutability(repositoryName="team/staging", imageTagMutability="IMMUTABLE")

        with pytest.raises(PushFailed, match="TAG_INVALID"):
            shelf.put("team/staging", "v1.2.3", oci_images.image(layers=(b"other",)))

    def test_token_is_renewed_shortly_before_it_expires(self, shelf: EcrShelf, clock: FakeClock) -> None:
        first = shelf.registry.credentials()

        clock.advance((timedelta(hours=12) - RENEWAL_MARGIN - timedelta(minutes=2)).total_seconds())
        kept = shelf.registry.credentials()
        clock.advance(timedelta(minutes=4).total_seconds())
        renewed = shelf.registry.credentials()

        assert first.password == kept.password
        assert first.password != renewed.password

    def test_present_layers_are_counted(self, shelf: EcrShelf, aws: Aws) -> None:
        aws.ecr().put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        shelf.put("team/prod", "v1.2.2", oci_images.image("v1.2.2", layers=(b"base", b"old")))

        copied = _promote(shelf)

        assert (copied.blobs_mounted, copied.blobs_uploaded, copied.blobs_present) == (2, 0, 1)
        assert str(copied) == "2 blobs mounted, 1 already there"

    def test_layers_are_looked_up_in_one_request(self, shelf: EcrShelf, aws: Aws, cloud: Cloud) -> None:
        aws.ecr().put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        aws.ecr().create_repository(repositoryName="team/other")
        before = len(cloud.requests)

        for target in ("team/prod", "team/other"):
            shelf.registry.copy(digest=shelf.sample.digest, source="team/staging", target=target, tag="v1.2.3")

        asked = [str(each.get("operation") or each["method"]) for each in cloud.requests[before:]]
        mounts = ["POST"] * len(shelf.sample.blobs)
        of_each = ["BatchCheckLayerAvailability", *mounts, "HEAD", "PUT"]
        assert asked == ["GET", *of_each, *of_each]

    def test_throttled_requests_are_retried(self, shelf: EcrShelf, aws: Aws, cloud: Cloud, clock: FakeClock) -> None:
        aws.ecr().put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        _refuse(cloud, "BatchCheckLayerAvailability", times=1, code="ThrottlingException", status=400)
        _refuse(cloud, "PUT *", times=3, code="TOOMANYREQUESTS", status=429)

        assert _promote(shelf).blobs_mounted == 3
        assert len(clock.sleeps) == 3

    def test_rejected_token_is_renewed_once(self, shelf: EcrShelf, aws: Aws, cloud: Cloud) -> None:
        aws.ecr().put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        first = shelf.registry.credentials()
        _refuse(cloud, "POST *", times=1, code="DENIED", status=403)

        assert _promote(shelf).blobs_mounted == 3
        assert shelf.registry.credentials() != first

    def test_reads_the_labels_of_a_digest_once(self, shelf: EcrShelf, cloud: Cloud) -> None:
        config = shelf.sample.root.config
        assert config is not None
        read = f"GET /v2/team/staging/blobs/{config.digest}"
        before = _calls(cloud).count(read)

        for reference in ("v1.2.3", shelf.sample.digest, "v1.2.3"):
            shelf.registry.find_image("team/staging", reference)

        assert _calls(cloud).count(read) == before + 1

    def test_labels_are_read_once_for_many_repositories(self, shelf: EcrShelf, cloud: Cloud) -> None:
        _promote(shelf)
        before = _reads(cloud)

        with ThreadPoolExecutor(8) as pool:
            found = set(
                pool.map(lambda each: shelf.registry.find_image(each, "v1.2.3"), ["team/staging", "team/prod"] * 8)
            )

        assert len(found) == 1
        assert _reads(cloud) == before + 1

    @pytest.mark.parametrize("platforms", [(), ("linux/amd64", "linux/arm64")], ids=["image", "index"])
    def test_labels_are_kept_on_this_machine(
        self, shelf: EcrShelf, aws: Aws, clock: FakeClock, cloud: Cloud, tmp_path: Path, platforms: tuple[str, ...]
    ) -> None:
        """So that the next run needs no password of the registry; what was damaged is read again."""
        images = [(each, oci_images.image(architecture=each.partition("/")[2])) for each in platforms]
        shelf.put("team/staging", "v2.0.0", oci_images.index(*images) if images else oci_images.image("v2.0.0"))

        def find() -> tuple[Image | None, list[str]]:
            registry = EcrRegistry(aws, clock=clock, cache=ContentCache(tmp_path / "configurations"))
            before = len(cloud.requests)
            found = registry.find_image("team/staging", "v2.0.0")
            return found, [each.get("operation") or each["method"] for each in cloud.requests[before:]]

        (first, _), (second, calls) = find(), find()
        for path in (tmp_path / "configurations").iterdir():
            path.write_bytes(path.read_bytes().replace(b"v", b"w"))
        third, calls_of_damaged = find()

        assert first is not None
        assert first == second == third
        assert calls == ["BatchGetImage"]
        assert {"GetAuthorizationToken", "GET"} < {*calls_of_damaged}

    def test_labels_are_read_where_nothing_can_be_kept(
        self, shelf: EcrShelf, aws: Aws, clock: FakeClock, tmp_path: Path
    ) -> None:
        (tmp_path / "file").touch()
        registry = EcrRegistry(aws, clock=clock, cache=ContentCache(tmp_path / "file" / "configurations"))

        assert registry.find_image("team/staging", "v1.2.3") == shelf.registry.find_image("team/staging", "v1.2.3")


class TestStandIns:
    """Images that only answer, which no registry but that of a local cloud may have."""

    @pytest.fixture
    def stand_in(self, shelf: EcrShelf, tmp_path: Path) -> EcrRegistry:
        """The registry with a stand-in, which the adapter has not read yet."""
        builder = StandInBuilder(labels={"dev.kaizen.image": "stand-in"}, platform="linux/amd64", store=tmp_path)
        login = shelf.registry.credentials()
        image = builder.build(recipe(), tmp_path)
        builder.push(image, repository_uri=f"{login.host}/team/staging", tag="v2.0.0", login=login)
        return shelf.registry

    def test_a_local_cloud_may_have_them(self, stand_in: EcrRegistry) -> None:
        image = stand_in.find_image("team/staging", "v2.0.0")

        assert image
        assert image.is_stand_in

    @pytest.mark.parametrize("by", ["tag", "digest"])
    def test_one_that_is_found_elsewhere_is_refused(
        self, stand_in: EcrRegistry, monkeypatch: pytest.MonkeyPatch, by: str
    ) -> None:
        image = stand_in.find_image("team/staging", "v2.0.0")
        assert image
        monkeypatch.setattr(Login, "is_local", False)

        with pytest.raises(Refused, match="is a stand-in image of a rehearsal") as refusal:
            stand_in.find_image("team/staging", "v2.0.0" if by == "tag" else image.digest)

        assert refusal.value.state == "it is not deployed, copied or promoted"
        assert stand_in.find_image("team/staging", "v1.2.3")


def _reads(cloud: Cloud) -> int:
    return sum(call.startswith("GET /v2/") and "/blobs/" in call for call in _calls(cloud))


def _promote(shelf: EcrShelf) -> CopyStats:
    return shelf.registry.copy(digest=shelf.sample.digest, source="team/staging", target="team/prod", tag="v1.2.3")


def _refuse(cloud: Cloud, operation: str, *, times: int, **error: str | int) -> None:
    """Make ECR reject the next requests."""
    cloud.inject_fault({"operation": operation}, {"error": error}, times=times)


def _calls(cloud: Cloud) -> list[str]:
    return [f"{each['method']} {each['path']}" for each in cloud.requests if "method" in each]
