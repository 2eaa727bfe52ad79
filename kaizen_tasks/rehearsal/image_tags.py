"""The names of images that a container engine of this machine has for the app: after a rehearsal they are as before."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kaizen_tasks.adapters.host import process

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextmanager
def images_kept(engine: str, app: str) -> Iterator[None]:
    """Give every name back to the image that had it, and remove the names that are new.

    What the engine keeps to build faster the next time stays.

    Args:
        engine: `docker`, `podman`, `buildah` or `bundle`, which has none.
        app: the name of its images.
    """
    before = _images(engine, app)
    try:
        yield
    finally:
        for name, identity in _images(engine, app).items():
            if name not in before:
                process.run((*_words(engine, "rm"), name))
            elif before[name] != identity:
                process.run((*_words(engine, "tag"), before[name], name))
                process.run((*_words(engine, "rm"), identity))


def _words(engine: str, verb: str) -> tuple[str, ...]:
    if engine == "buildah":
        return ("buildah", "rmi" if verb == "rm" else verb)
    return (engine, "image", verb)


def _images(engine: str, app: str) -> Mapping[str, str]:
    """Return the identity of every image of the app by its name."""
    if engine == "bundle":
        return {}
    listing = ("images", "--no-trunc") if engine == "buildah" else ("image", "ls", "--no-trunc")
    name = "{{.Name}}" if engine == "buildah" else "{{.Repository}}"
    found = process.run((engine, *listing, "--format", f"{name}:{{{{.Tag}}}} {{{{.ID}}}}", app))
    pairs = (line.split() for line in found.out.splitlines())
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and not pair[0].endswith(":<none>")}
