"""Lines: series of versions that are maintained side by side, such as 1.x beside 2.x."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from semver import Version

_NAME = re.compile(r"(?P<major>0|[1-9]\d*)(?:\.(?P<minor>0|[1-9]\d*))?(?:\.x)?")


@frozen(kw_only=True)
class Line:
    """A series of versions, and where it is released from.

    Attributes:
        name: the series: `1.x`, or `1.2.x`.
        branch: name or pattern of the branch that it is released from.
        environments: names of the environments that stay on the line.
    """

    name: str
    branch: str
    environments: tuple[str, ...] = ()

    @property
    def series(self) -> tuple[int, ...]:
        """The numbers with which its versions begin: the major one, or major and minor."""
        match = _NAME.fullmatch(self.name)
        return tuple(int(number) for number in match.groups() if number is not None) if match else ()

    def __contains__(self, version: Version) -> bool:
        return (version.major, version.minor)[: len(self.series)] == self.series


def is_line_name(text: str) -> bool:
    """Return whether a text names a series of versions: `1.x`, `1.2.x`, or the same without `.x`."""
    return _NAME.fullmatch(text) is not None


def series_name(version: Version) -> str:
    """Return the name of the series of a version that is of no configured line: `2.x`."""
    return f"{version.major}.x"


def line_of_version(lines: Iterable[Line], version: Version) -> Line | None:
    """Return the narrowest line that has a version, or None."""
    return max((line for line in lines if version in line), key=lambda line: len(line.series), default=None)


def line_of_branch(lines: Iterable[Line], branch: str) -> Line | None:
    """Return the line that is released from a branch, or None; the name of a branch comes before a pattern."""
    candidates = [line for line in lines if branch and fnmatch.fnmatchcase(branch, line.branch)]
    return max(candidates, key=lambda line: (line.branch == branch, len(line.branch)), default=None)


def line_of_environment(lines: Iterable[Line], environment: str) -> Line | None:
    """Return the line that an environment stays on, or None."""
    return next((line for line in lines if environment in line.environments), None)


def accepts(lines: Collection[Line], environment: str, version: Version) -> bool:
    """Return whether a release is meant for an environment.

    One that stays on a line gets the releases of that line. All others get those that no environment stays behind for.
    """
    own_line, line = line_of_environment(lines, environment), line_of_version(lines, version)
    return line is own_line if own_line else line is None or not line.environments


def conflicting_release(version: Version, last: Version | None, released: Iterable[Version]) -> Version | None:
    """Return the last release of another line to whose series a version would belong, or None.

    A line goes on in its own series, and may begin one that no other line has begun: after 1.2.3 neither 2.0.1 is right
    if 2.0.0 is released elsewhere, nor 1.3.1 if 1.3.0 is. Numbers that hotfixes took in its own series are passed over.

    Args:
        version: the number that a release would get.
        last: the last release of the line; None when there is none.
        released: the releases of all lines.
    """
    size = 1 if last is not None and version.major != last.major else 2
    numbers = version.to_tuple()[:size]
    if last is not None and numbers == last.to_tuple()[:size]:
        return None
    return max((other for other in released if other.to_tuple()[:size] == numbers), default=None)
