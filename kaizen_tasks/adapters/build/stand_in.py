"""Builds stand-in images, which have no content: a local cloud answers for them, and no other registry gets them."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path

from kaizen_tasks.adapters.build.image_layout import ImageContents, LayoutBuilder
from kaizen_tasks.domain.build.stand_in import STAND_IN
from kaizen_tasks.domain.image import BuildSpec, LocalImage
from kaizen_tasks.errors import PushFailed
from kaizen_tasks.ports.images import Login


class StandInBuilder(LayoutBuilder):
    """Builds images that only their labels tell apart, and pushes them to registries on this machine.

    Args:
        labels: what the local cloud answers, see `domain.build.stand_in`.
        platform: `linux/amd64`.
        store: folder for the layouts, one folder for each image.
    """

    name = STAND_IN

    def __init__(self, *, labels: Mapping[str, str], platform: str, store: Path) -> None:
        super().__init__(settings=dict(labels), platform=platform, store=store)
        self._labels = labels

    def push(self, image: LocalImage, *, repository_uri: str, tag: str, login: Login) -> None:
        """Upload an image as `repository_uri:tag`.

        Raises:
            PushFailed: the registry is not on this machine, or did not accept the image.
        """
        if not login.is_local:
            message = f"a stand-in image, which only answers, is not pushed to {login.host}"
            raise PushFailed(message, state="nothing was uploaded", hint='set build.engine to "auto"')
        super().push(image, repository_uri=repository_uri, tag=tag, login=login)

    def _read_contents(self, spec: BuildSpec, context: Path) -> ImageContents:
        """Return an empty archive: some registries accept no image without a layer."""
        return ImageContents(config={"Labels": {**spec.labels, **self._labels}}, write_layer=_write_empty_archive)


def _write_empty_archive(path: Path) -> None:
    with tarfile.open(path, mode="w"):
        pass
