"""Tells what jobs and scripts build and deploy for the app of a folder from what they do for its neighbours."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.domain.init.naming import contains_word

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.evidence import Facts, ImageBuild


class Owner(Enum):
    """Whose image a command builds: this app's, one that may be, or another app's."""

    APP = auto()
    UNKNOWN = auto()
    NEIGHBOUR = auto()


@frozen(kw_only=True)
class AppFolder:
    """The folder of an app in its repository.

    Attributes:
        path: its path from the top of the repository; empty at the top, where everything is the app's.
        has_dockerfile: whether it has a Dockerfile of its own.
    """

    path: str = ""
    has_dockerfile: bool = False

    def with_short_paths(self, build: ImageBuild) -> ImageBuild:
        """Return a build with its shortest paths: `../web/Dockerfile` is `Dockerfile` in web."""
        return evolve(build, dockerfile=self._from_here(build.dockerfile), context=self._from_here(build.context))

    def _from_here(self, path: str) -> str:
        return posixpath.relpath(posixpath.join(self.path, path), self.path) if self.path else path

    def owner(self, build: ImageBuild) -> Owner:
        """Return whose image a build makes, by its context; where apps share the context, by its Dockerfile."""
        context, dockerfile = self._from_here(build.context), self._from_here(build.dockerfile)
        if not self.path or _is_inside(context) or _is_inside(dockerfile):
            return Owner.APP
        if not _is_above(context):
            return Owner.NEIGHBOUR
        is_shared = _is_above(posixpath.dirname(dockerfile)) or posixpath.basename(dockerfile) != "Dockerfile"
        if is_shared or not self.has_dockerfile or contains_word(dockerfile, posixpath.basename(self.path)):
            return Owner.UNKNOWN
        return Owner.NEIGHBOUR

    def is_for_neighbours(self, builds: Iterable[ImageBuild]) -> bool:
        """Return whether the builds of a job or script are all those of other apps; false without any."""
        return {self.owner(build) for build in builds} == {Owner.NEIGHBOUR}

    def without_neighbours(self, steps: Sequence[Facts]) -> tuple[Facts, ...]:
        """Return the facts of steps that follow each other, without those of other apps.

        Where each build is followed by a deployment, a step belongs to the last build before it. Else a step belongs to
        another app only if it names the repository of that app's image.
        """
        if not any(self.is_for_neighbours(step.builds) for step in steps):
            return tuple(steps)
        sections: list[list[Facts]] = [[]]
        for step in steps:
            if step.builds:
                sections.append([])
            sections[-1].append(step)
        head, *built = sections
        if all(any(step.platforms for step in section) for section in built):
            built = [section for section in built if not self.is_for_neighbours(section[0].builds)]
        kept = [step for section in (head, *built) for step in section]
        foreign = self._foreign_repositories(steps)
        return tuple(
            evolve(
                step,
                builds=tuple(each for each in step.builds if self.owner(each) is not Owner.NEIGHBOUR),
                environment_facts=tuple(each for each in step.environment_facts if each.repository not in foreign),
            )
            for step in kept
        )

    def _foreign_repositories(self, steps: Iterable[Facts]) -> frozenset[str]:
        """Return the repositories for which only builds of other apps make images."""
        pairs = {(each.repository, self.owner(each)) for step in steps for each in step.builds if each.repository}
        own = {repository for repository, owner in pairs if owner is not Owner.NEIGHBOUR}
        return frozenset(repository for repository, _ in pairs if repository not in own)


TOP = AppFolder()
"""The folder of an app that has a repository of its own."""


def repository_top(path: str) -> str:
    """Return the top of the repository, where scripts are run, from the app's folder, by the path of a script."""
    return "/".join(part for part in path.split("/") if part == "..") or "."


def _is_inside(path: str) -> bool:
    return not path.startswith("..")


def _is_above(path: str) -> bool:
    return {*path.split("/")} == {".."}
