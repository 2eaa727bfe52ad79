"""Keeps the tags of the app's images in the container engine of this machine as they were before a rehearsal."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.build.select import ENGINES_IN_PYTHON
from kaizen_tasks.adapters.host import process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextmanager
def preserve_image_tags(engine: str, app: str) -> Iterator[None]:
    """Move every tag back to its image at the end of the context, and remove new tags; the build cache stays.

    Args:
        engine: `docker`, `podman`, `buildah`, or one of those in Python, which have no images of their own.
        app: repository of the images.
    """
    original_ids = _image_ids_by_tag(engine, app)
    try:
        yield
    finally:
        for tag, image_id in _image_ids_by_tag(engine, app).items():
            if tag not in original_ids:
                process.run((*_image_command(engine, "rm"), tag))
            elif original_ids[tag] != image_id:
                process.run((*_image_command(engine, "tag"), original_ids[tag], tag))
                process.run((*_image_command(engine, "rm"), image_id))


def _image_command(engine: str, verb: str) -> tuple[str, ...]:
    if engine == "buildah":
        return ("buildah", "rmi" if verb == "rm" else verb)
    return (engine, "image", verb)


def _image_ids_by_tag(engine: str, app: str) -> Mapping[str, str]:
    if engine in ENGINES_IN_PYTHON:
        return {}
    list_command = ("images", "--no-trunc") if engine == "buildah" else ("image", "ls", "--no-trunc")
    name = "{{.Name}}" if engine == "buildah" else "{{.Repository}}"
    result = process.run((engine, *list_command, "--format", f"{name}:{{{{.Tag}}}} {{{{.ID}}}}", app))
    pairs = (line.split() for line in result.out.splitlines())
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and not pair[0].endswith(":<none>")}
