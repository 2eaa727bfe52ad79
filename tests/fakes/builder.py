"""A builder that keeps its images, and what it pushed, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from kaizen_tasks.domain.image import BuildSpec, LocalImage
from kaizen_tasks.errors import BuildFailed, PushFailed

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.ports.images import Login


@define(kw_only=True)
class FakeBuilder:
    """Builds any tree with a Dockerfile that does not run `false`.

    Attributes:
        password: the only one that the registry takes; empty takes any.
        built_specs: the recipe of each image, by its name.
        pushed_specs: the recipe of each image in a registry, by `address:tag`.
        build_count: how often `build` was called.
    """

    name: str = "fake"
    password: str = ""
    built_specs: dict[str, BuildSpec] = field(factory=dict)
    pushed_specs: dict[str, BuildSpec] = field(factory=dict)
    build_count: int = 0

    def find_image(self, spec: BuildSpec) -> LocalImage | None:
        name = f"{spec.app}:{spec.version}"
        built_spec = self.built_specs.get(name)
        if built_spec is None or built_spec.revision != spec.revision:
            return None
        return LocalImage(name=name, id=f"fake:{spec.revision}")

    def build(self, spec: BuildSpec, context: Path) -> LocalImage:
        self.build_count += 1
        dockerfile = context / "Dockerfile"
        if not dockerfile.is_file() or "RUN false" in dockerfile.read_text(encoding="utf-8"):
            raise BuildFailed(f"fake could not build {spec.app}:{spec.version}: exit code 1")
        name = f"{spec.app}:{spec.version}"
        self.built_specs[name] = spec
        return LocalImage(name=name, id=f"fake:{spec.revision}")

    def push(self, image: LocalImage, *, repository_uri: str, tag: str, login: Login) -> None:
        if self.password and login.password.reveal() != self.password:
            raise PushFailed(f"{repository_uri} does not let these credentials push")
        self.pushed_specs[f"{repository_uri}:{tag}"] = self.built_specs[image.name]
