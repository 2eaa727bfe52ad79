"""The VERSION file and the arithmetic of versions."""

from __future__ import annotations

from typing import cast, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from semver import Version

from kaizen_tasks.domain import version as versions
from kaizen_tasks.domain.version import BOM, Part
from kaizen_tasks.errors import Refused, UsageError

MOVES = tuple(part for part in get_args(Part) if part != "auto")

numbers = st.integers(min_value=0, max_value=10**6)
identifiers = st.from_regex(r"(?:0|[1-9][0-9]{0,4}|[0-9]{0,3}[A-Za-z-][0-9A-Za-z-]{0,4})", fullmatch=True)
prereleases = st.none() | st.lists(identifiers, min_size=1, max_size=3).map(".".join)
semantic = st.builds(Version, numbers, numbers, numbers, prereleases)
styles = st.tuples(st.sampled_from([b"", BOM]), st.sampled_from([b"", b"\n", b"\r\n"]))


@given(version=semantic, prefix=st.sampled_from(["", "v"]))
def test_reads_back_what_it_names(version: Version, prefix: str) -> None:
    """A version survives its way through text, with and without `v`."""
    assert versions.parse_version(f"{prefix}{version}") == version


@given(version=semantic, following=semantic, style=styles)
def test_a_file_keeps_its_style_when_its_version_changes(
    version: Version, following: Version, style: tuple[bytes, bytes]
) -> None:
    """BOM and line ending stay; the version between them is the new one."""
    bom, ending = style
    before = bom + str(version).encode() + ending

    after = versions.render_version_file(before, following)

    assert after == bom + str(following).encode() + ending
    assert versions.parse_version_file(after) == following


@given(version=semantic, part=st.sampled_from(MOVES))
def test_every_part_moves_forward(version: Version, part: str) -> None:
    """What comes next is above what was, whatever pre-release it was."""
    assert versions.bump_version(version, cast("Part", part)) > version


@given(version=semantic)
def test_a_larger_part_never_leads_to_a_lower_version(version: Version) -> None:
    """Patch, feature and major are in this order."""
    patch, feature, major = (versions.bump_version(version, part) for part in ("patch", "feature", "major"))

    assert patch <= feature <= major


@pytest.mark.parametrize(
    ("now", "part", "following"),
    [
        ("1.2.3", "patch", "1.2.4"),
        ("1.2.3", "feature", "1.3.0"),
        ("1.2.3", "major", "2.0.0"),
        ("1.2.3", "rc", "1.3.0-rc.1"),
        ("1.3.0-rc.1", "rc", "1.3.0-rc.2"),
        ("1.3.0-rc.9", "rc", "1.3.0-rc.10"),
        ("1.3.0-rc.2", "patch", "1.3.0"),
        ("1.3.0-rc.2", "feature", "1.3.0"),
        ("1.3.0-rc.2", "major", "2.0.0"),
        ("1.3.1-rc.1", "feature", "1.4.0"),
        ("2.0.0-rc.1", "major", "2.0.0"),
    ],
)
def test_a_release_candidate_announces_its_release(now: str, part: str, following: str) -> None:
    """A pre-release becomes what it announces, and no further than the part asks for."""
    assert str(versions.bump_version(Version.parse(now), cast("Part", part))) == following


@pytest.mark.parametrize("text", ["", "v", "1", "1.2", "01.2.3", "vv1.2.3", "V1.2.3", "1.2.3 ", "1.2.3\n", "1.2.٣"])
def test_refuses_what_is_not_a_version(text: str) -> None:
    """Whatever semantic versioning does not know is told with the place it comes from."""
    with pytest.raises(UsageError, match=r"--to: .* is not a version") as refused:
        versions.parse_version(text, origin="--to")

    assert refused.value.exit_code == 2


def test_refuses_build_metadata_and_says_what_to_write_instead() -> None:
    """An image tag cannot carry `+`."""
    with pytest.raises(UsageError, match=r"\+linux") as refused:
        versions.parse_version("v1.2.3-rc.1+linux")

    assert refused.value.hint == "write 1.2.3-rc.1"


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", BOM, b"v1.2.3\n", b" 1.2.3\n", b"1.2.3\n\n", b"1.2.3\n1.2.4\n", b"1.2.3 # comment\n", b"1.2.3\x0b"],
)
def test_refuses_a_file_that_is_not_one_bare_version(content: bytes) -> None:
    """Strictness here is what lets every other tool read the file too."""
    with pytest.raises(UsageError, match=r"^VERSION: "):
        versions.parse_version_file(content)


def test_refuses_a_file_that_is_missing_or_not_text() -> None:
    """Both have a way out in the hint."""
    with pytest.raises(UsageError, match="no such file"):
        versions.parse_version_file(None)
    with pytest.raises(UsageError, match="not UTF-8 at byte 1"):
        versions.parse_version_file(b"1\xff.2.3")


def test_shows_only_the_beginning_of_a_long_file() -> None:
    """An error stays three lines for people, whatever was found."""
    with pytest.raises(UsageError) as refused:
        versions.parse_version_file(b"1.2.3\n" * 1000)

    assert len(str(refused.value).splitlines()) <= 3
    assert len(refused.value.message) < 100


def test_makes_a_file_where_there_was_none() -> None:
    """A new file ends with a newline."""
    assert versions.render_version_file(None, Version.parse("0.1.0")) == b"0.1.0\n"


@pytest.mark.parametrize(("text", "part"), [("minor", "feature"), *((part, part) for part in get_args(Part))])
def test_knows_every_part_by_its_name_and_minor_by_its_other(text: str, part: str) -> None:
    """Semantic versioning's own word is understood."""
    assert versions.parse_part(text) == part


def test_names_the_parts_there_are() -> None:
    """A typo is answered with the choice."""
    with pytest.raises(UsageError) as refused:
        versions.parse_part("pacth")

    assert all(part in refused.value.hint for part in get_args(Part))


@pytest.mark.parametrize(("wanted", "last"), [("1.2.3", "1.2.3"), ("1.2.2", "1.2.3"), ("1.2.3-rc.1", "1.2.3")])
def test_refuses_a_version_that_does_not_come_after_the_last(wanted: str, last: str) -> None:
    """The same version is not released twice, and none before it afterwards."""
    with pytest.raises(Refused, match=f"{wanted} does not come after the last release {last}"):
        versions.require_newer(Version.parse(wanted), Version.parse(last))


@pytest.mark.parametrize("last", [None, "1.2.2", "1.2.3-rc.9"])
def test_accepts_a_version_that_comes_after_the_last(last: str | None) -> None:
    """The first release comes after nothing."""
    wanted, before = Version.parse("1.2.3"), Version.parse(last) if last else None

    versions.require_newer(wanted, before)

    assert versions.latest_version(tuple(filter(None, (before, wanted)))) == wanted


def test_there_is_no_latest_of_nothing() -> None:
    """A repository without releases has none."""
    assert versions.latest_version(()) is None


def test_an_image_is_named_with_a_v() -> None:
    """Tag, label and `/version` agree on it."""
    assert versions.image_tag(Version.parse("1.2.3-rc.1")) == "v1.2.3-rc.1"
