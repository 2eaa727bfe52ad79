"""A builder that keeps its images, and what it pushed, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from kaizen_tasks.domain.release import LocalImage, Recipe
from kaizen_tasks.errors import BuildFailed, PushFailed

if TYPE_CHECKING:
    from pathlib import Path

    from kaizen_tasks.ports.types import Login


@define(kw_only=True)
class FakeBuilder:
    """Builds any tree that has a Dockerfile.

    Attributes:
        password: the only one that the registry takes; empty takes any.
        built: the recipe of each image, by its name.
        pushed: the recipe of each image in a registry, by `address:tag`.
        builds: how often `build` was called.
    """

    name: str = "fake"
    password: str = ""
    built: dict[str, Recipe] = field(factory=dict)
    pushed: dict[str, Recipe] = field(factory=dict)
    builds: int = 0

    def find(self, recipe: Recipe) -> LocalImage | None:
        """Return the image of this revision when it was built."""
        name = f"{recipe.app}:{recipe.version}"
        built = self.built.get(name)
        if built is None or built.revision != recipe.revision:
            return None
        return LocalImage(name=name, identity=f"fake:{recipe.revision}")

    def build(self, recipe: Recipe, context: Path) -> LocalImage:
        """Build, or fail for want of a Dockerfile."""
        self.builds += 1
        if not (context / "Dockerfile").is_file():
            raise BuildFailed(f"fake could not build {recipe.app}:{recipe.version}: no Dockerfile")
        name = f"{recipe.app}:{recipe.version}"
        self.built[name] = recipe
        return LocalImage(name=name, identity=f"fake:{recipe.revision}")

    def push(self, image: LocalImage, *, address: str, tag: str, login: Login) -> None:
        """Push, or be denied."""
        if self.password and login.password.open() != self.password:
            raise PushFailed(f"{address} does not let these credentials push")
        self.pushed[f"{address}:{tag}"] = self.built[image.name]
