"""Versions (`semver.Version`): parsing them, the VERSION file, image tags, and the next version."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, cast, get_args

from kaizen_tasks.errors import Refused, UsageError

if TYPE_CHECKING:
    from semver import Version

    VersionKey = tuple[tuple[int, ...], Version]

Part = Literal["auto", "patch", "feature", "major", "rc"]
PART_ALIASES = {"minor": "feature"}
BOM = b"\xef\xbb\xbf"


def parse_version(text: str, *, origin: str = "version") -> Version:
    """Return the version of `1.2.3`, `1.2.3-rc.1`, or either with a leading `v`.

    Args:
        text: the version as text.
        origin: where the text is from, for the error message.

    Raises:
        UsageError: the text is not a semantic version, or has build metadata, which an image tag cannot contain.
    """
    from semver import Version

    try:
        version = Version.parse(text.removeprefix("v"))
    except ValueError:
        raise UsageError(f"{origin}: {text!r} is not a version", hint="write it as 1.2.3 or v1.2.3") from None
    if version.build:
        raise UsageError(
            f"{origin}: {text!r} has build metadata (+{version.build}), which an image tag cannot contain",
            hint=f"write {str(version).partition('+')[0]}",
            wrong=text,
            right=(str(version).partition("+")[0],),
        )
    return version


def sort_key(version: Version) -> VersionKey:
    """Return a key that sorts versions as they compare, and that compares ten times as fast where numbers differ."""
    return (version.major, version.minor, version.patch), version


def highest_below(version: Version, ascending: Sequence[Version]) -> Version | None:
    """Return the last of some versions, the lowest of which is first, that is below a version; None if none is."""
    end = bisect_left(ascending, sort_key(version), key=sort_key)
    return ascending[end - 1] if end else None


def parse_version_file(content: bytes | None) -> Version:
    """Return the version in a VERSION file: an optional BOM, one version without `v`, at most one line ending.

    Raises:
        UsageError: the file is missing, empty, not UTF-8 or contains anything else.
    """
    if content is None:
        hint = "create it with the current version: echo 0.1.0 > VERSION"
        raise UsageError("VERSION: there is no such file", hint=hint)
    try:
        text = content.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"VERSION: not UTF-8 at byte {error.start}", hint="save it as plain text: 1.2.3") from error
    line = text.removesuffix("\n").removesuffix("\r")
    if line.startswith("v") or line != line.strip() or len(line.splitlines()) != 1:
        excerpt = text if len(text) <= 40 else text[:40] + "…"
        raise UsageError(f"VERSION: {excerpt!r} is not one bare version", hint="write it as 1.2.3 on a single line")
    return parse_version(line, origin="VERSION")


def render_version_file(content: bytes | None, version: Version) -> bytes:
    """Return the content of the VERSION file with another version, but the same BOM and line ending."""
    if content is None:
        return f"{version}\n".encode()
    bom = BOM if content.startswith(BOM) else b""
    ending = next((end for end in (b"\r\n", b"\n") if content.endswith(end)), b"")
    return bom + str(version).encode() + ending


def parse_part(text: str) -> Part:
    """Return the part of the version that a text names; `minor` means `feature`.

    Raises:
        UsageError: there is no such part.
    """
    name = PART_ALIASES.get(text, text)
    if name not in get_args(Part):
        from difflib import get_close_matches

        nearest = tuple(get_close_matches(text, get_args(Part), n=1))
        hint = f"choose one of {', '.join(get_args(Part))}"
        raise UsageError(f"--part {text}: no such part", hint=hint, wrong=text, right=nearest)
    return cast("Part", name)


def bump_version(version: Version, part: Part) -> Version:
    """Return the next version: patch, feature (minor), major, or the next release candidate.

    A pre-release is not released yet: `1.3.0-rc.2` becomes `1.3.0` for a patch or a feature, but `2.0.0` for a major
    change, which `1.3.0` would not announce.
    """
    if part == "rc":
        return version.bump_prerelease("rc") if version.prerelease else version.bump_minor().bump_prerelease("rc")
    if version.prerelease and _is_prerelease_of(version, part):
        return version.finalize_version()
    return {"patch": version.bump_patch, "feature": version.bump_minor, "major": version.bump_major}[part]()


def _is_prerelease_of(version: Version, part: Part) -> bool:
    lower_numbers = {"patch": (), "feature": (version.patch,), "major": (version.minor, version.patch)}
    return not any(lower_numbers[part])


def image_tag(version: Version) -> str:
    """Return the name of a version in image tags and at `/version`: `v1.2.3`."""
    return f"v{version}"


def latest_version(versions: tuple[Version, ...]) -> Version | None:
    """Return the highest version; None when there is none."""
    return max(versions, default=None)


def require_newer(version: Version, last_release: Version | None) -> None:
    """Require a version above the last release.

    Raises:
        Refused: the version is the same or lower.
    """
    if last_release is not None and version <= last_release:
        raise Refused(
            f"{version} does not come after the last release {last_release}",
            state="VERSION is unchanged",
            hint=f"choose a version above {last_release}",
        )
