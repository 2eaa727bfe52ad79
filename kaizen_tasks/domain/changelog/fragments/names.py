"""File names of fragments: `<slug>.<type>.md`, and how a new one is named."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

import attrs

from kaizen_tasks.errors import UsageError

SUFFIX = ".md"
MAX_SLUG_LENGTH = 40  # characters; a checkout on Windows has 260 for the whole path
_HASH_LENGTH = 6  # hexadecimal digits
_IGNORED_STEMS = {"readme", "template", "changelog_template", "new_fragment", "contributing"}
_TEMPLATE_SUFFIXES = (".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".template", ".mustache", "~")
_SAFE_NAME = re.compile(r"[+]?[A-Za-z0-9][A-Za-z0-9_+-]*(?:\.[A-Za-z0-9_+-]+)*")


@attrs.frozen(kw_only=True)
class FragmentName:
    """The parts of a fragment's file name: `type_name` is as written, and may be unknown."""

    slug: str
    type_name: str


def parse_name(name: str) -> FragmentName | None:
    """Return the parts of a file name, or None for one that is no fragment's.

    A number after the type tells fragments of one issue apart, as in towncrier: `123.fixed.1.md`.
    """
    if not name.lower().endswith(SUFFIX):
        return None
    parts = name[: -len(SUFFIX)].split(".")
    if len(parts) > 2 and parts[-1].isdecimal():
        parts.pop()
    *slug_parts, type_name = parts
    slug = ".".join(slug_parts)
    return FragmentName(slug=slug, type_name=unicodedata.normalize("NFC", type_name)) if slug and type_name else None


def is_left_alone(name: str) -> bool:
    """Return whether a file of the folder is obviously no fragment: hidden, a README, or a template."""
    if name.startswith((".", "_")) or name.lower().endswith(_TEMPLATE_SUFFIXES):
        return True
    return name.partition(".")[0].casefold() in _IGNORED_STEMS


def new_name(text: str, type_name: str, *, taken: Collection[str], slug: str = "") -> str:
    """Return a free file name for an entry.

    Without a slug, the name is made of the first words and of a hash of the whole text, so that two branches never
    add different files of one name. A text without Latin letters leaves the hash alone: `+1a2b3c.fixed.md`.

    Args:
        text: the entry.
        type_name: its type of change, of which the name ends.
        taken: names that exist.
        slug: what the name begins with instead, such as the number of an issue.

    Raises:
        UsageError: the slug is no part of a file name that is safe on every system.
    """
    ending = type_slug(type_name)
    if slug and not _SAFE_NAME.fullmatch(slug):
        raise UsageError(f"--name {slug}: not a file name", hint="use letters, digits, - and _, as in --name 123")
    taken_names = {name.casefold() for name in taken}
    return next(name for name in _candidates(text, ending, slug) if name.casefold() not in taken_names)


def type_slug(type_name: str) -> str:
    """Return how file names spell a type of change: `Breaking Changes` is `breaking-changes`."""
    return "-".join(re.findall(r"\w+", unicodedata.normalize("NFC", type_name).casefold().replace("_", " ")))


def sort_key(path: str) -> tuple[object, ...]:
    """Return the key that sorts fragments by name: numbers by their value, and orphans (`+1a2b3c`) last."""
    name = PurePosixPath(path).name
    parts = re.split(r"(\d+)", name.casefold().removesuffix(SUFFIX))
    numbered = tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts)
    return name.startswith("+"), numbered, name


def _candidates(text: str, ending: str, slug: str) -> Iterator[str]:
    import hashlib

    words = _words(text)
    for count in itertools.count():
        if slug:
            yield f"{slug}.{ending}.{count}{SUFFIX}" if count else f"{slug}.{ending}{SUFFIX}"
        else:
            digest = hashlib.sha256(f"{ending}\0{text}\0{count}".encode()).hexdigest()[:_HASH_LENGTH]
            yield f"{words}-{digest}.{ending}{SUFFIX}" if words else f"+{digest}.{ending}{SUFFIX}"


def _words(text: str) -> str:
    """Return the first words of a text in lower case, joined by hyphens, without Markdown and accents."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    without_urls = re.sub(r"\w+://\S+", "", ascii_text.replace("'", ""))
    words = re.findall(r"[a-z0-9]+", without_urls)
    slug = "-".join(words)[: MAX_SLUG_LENGTH + 1]
    return slug if len(slug) <= MAX_SLUG_LENGTH else (slug.rpartition("-")[0] or slug[:MAX_SLUG_LENGTH])
