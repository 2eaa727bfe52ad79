"""The environments that a deployment script knows: its tables, and the branches that it takes for each target.

A script is not run and not parsed whole; what is looked for are the few forms in which targets are written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from attrs import frozen

from kaizen_tasks.domain.init.evidence import Sighting, Traces, accounts, merged, regions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ABOUT_IMAGES = re.compile(r"\b(?:apprunner|buildah|docker|ecr|podman)\b")
NAME = r"[a-z][a-z0-9_-]*"
COMMENT = re.compile(r"(?m)^[ \t]*#.*$")
CONTINUED = re.compile(r"\\\n[ \t]*")
ENTRY = re.compile(rf"""(?m)^[ \t]*(\w+)\[["']?({NAME})["']?\]=(\S+)""")
TABLE = re.compile(r"(?m)^[ \t]*(?:declare|local|typeset)[ \t]+-\w*A\w*[ \t]+(\w+)=\(([^)]*)\)")
ROW = re.compile(rf"""\[["']?({NAME})["']?\]=(\S+)""")
LIST = re.compile(
    r"""(?m)^[ \t]*(?:readonly[ \t]+|export[ \t]+|declare[ \t]+-\w+[ \t]+)?"""
    r"""(\w+)=(\([^)$]*\)|"[^"$]*"|'[^']*'|[\w./:-]+)[ \t]*(?:\#.*)?$"""
)
ARM = re.compile(rf"""(?m)^[ \t]*\(?((?:["']?{NAME}["']?[ \t]*\|[ \t]*)*["']?{NAME}["']?)\)(.*?);;""", re.DOTALL)
CASE = re.compile(r"\bcase\b.*?\bin\b(.*?)\besac\b", re.DOTALL)
TEST = re.compile(
    rf"""(?:if|elif)[^\n]*?\$\{{?\w+[^\n=]*?={{1,2}}[ \t]*["']?({NAME})["']?[^\n]*\n"""
    r"""(.*?)(?=\n[ \t]*(?:elif|else|fi)\b)""",
    re.DOTALL,
)
LOOP = re.compile(r"\bfor[ \t]+(\w+)[ \t]+in[ \t]+([^;\n]+)")
ASSIGNED = re.compile(r"""\b(\w+)=["']?([^"'\s;)]+)""")
USED = re.compile(r"\$\{?(\w+)(?:\[@\]|\[\*\]|:-[^}]*)?\}?")
TARGET = re.compile(r"""(?m)\b(\w+)=["']?\$\{?1\b""")
ADDRESS = re.compile(r"\.amazonaws\.com/([\w./-]+)")
SERVICE_ARN = re.compile(r":service/([\w-]+)/")
WORD = re.compile(r"[\w./:{}-]+")
WHOLE = "{env}"
"""Stands in a text where the script has its target."""


@frozen(kw_only=True)
class Branch:
    """What a script does for some of its targets.

    Attributes:
        targets: their names.
        body: the lines.
    """

    targets: tuple[str, ...]
    body: str


def read(where: str, text: str) -> Traces:
    """Return what a script shows.

    Args:
        where: its path.
        text: its content.
    """
    if not ABOUT_IMAGES.search(text):
        return Traces()
    code = CONTINUED.sub(" ", COMMENT.sub("", text))
    variables = {name: _words(value) for name, value in LIST.findall(code)}
    branches = tuple(_branches(code, variables))
    sightings = (*_of_tables(code, where), *_of_branches(code, branches, where))
    found = tuple(merged(sightings).values())
    return Traces(
        sightings=found,
        groups=_groups(branches, found),
        regions=regions(text) if found else (),
        accounts=accounts(text) if found else (),
    )


def _words(value: str) -> str:
    return " ".join(re.findall(r"[^\s\"'()]+", value))


def _of_tables(code: str, where: str) -> Iterator[Sighting]:
    """Find `REPOS[prod]="…"` and `declare -A REPOS=([prod]=…)`."""
    rows = [*ENTRY.findall(code), *((table, *row) for table, body in TABLE.findall(code) for row in ROW.findall(body))]
    for table, environment, value in rows:
        key = _key(table)
        written = _named(key, value.strip("\"'")) if key else ""
        if written and "$" not in written:
            yield Sighting(environment=environment, where=where, **{key: written})


def _key(name: str) -> str:
    """Return what a variable of this name holds: a repository, a service, a URL, or nothing of interest."""
    upper = name.upper()
    if "SERVICE" in upper or upper.endswith("ARN"):
        return "service"
    if any(part in upper for part in ("URL", "DOMAIN", "HOST")):
        return "url"
    registry = "REGISTRY" in upper or "LIST" in upper
    return "repository" if any(part in upper for part in ("REPO", "ECR", "IMAGE")) and not registry else ""


def _named(key: str, value: str) -> str:
    """Return the name in a value: a repository's without registry and tag, a service's without the rest of its ARN."""
    if key == "service":
        found = SERVICE_ARN.search(value)
        return found[1] if found else "" if value.startswith("arn:") else value
    if key == "url":
        return value if value.startswith("http") else f"https://{value}"
    address = ADDRESS.search(value)
    name = address[1] if address else value
    return re.sub(r":[\w.{}-]*$", "", name)


def _branches(code: str, variables: Mapping[str, str]) -> Iterator[Branch]:
    """Yield the arms of every `case`, and what follows every comparison with a name, with what is known filled in."""
    targets = {"1", *TARGET.findall(code)}
    for patterns, body in (arm for case in CASE.findall(code) for arm in ARM.findall(case)):
        names = tuple(re.findall(NAME, patterns))
        yield Branch(targets=names, body=_filled(body, variables, targets))
    for name, body in TEST.findall(code):
        yield Branch(targets=(name,), body=_filled(body, variables, targets))


def _filled(body: str, variables: Mapping[str, str], targets: set[str]) -> str:
    """Fill in what the script has assigned; its target becomes a placeholder, and a loop is written out."""

    def value(found: re.Match[str]) -> str:
        if found[1] in targets:
            return WHOLE
        return variables.get(found[1], found[0])

    text = USED.sub(value, body)
    loop = LOOP.search(text)
    if not loop or "$" in loop[2]:
        return text
    rounds = (re.sub(rf"\$\{{?{loop[1]}\b\}}?", name, text[loop.end() :]) for name in _words(loop[2]).split())
    return text[: loop.end()] + "\n".join(rounds)


def _of_branches(code: str, branches: Sequence[Branch], where: str) -> Iterator[Sighting]:
    """Find what each branch names for its target, then what is named for all targets together."""
    everywhere = _named_in(_filled(CASE.sub("", code), {}, {"1", *TARGET.findall(code)}), templates=True)
    alone = [branch for branch in branches if not _members(branch, branches)]
    named = [(target, _named_in(branch.body, templates=False)) for branch in alone for target in branch.targets]
    named += [(target, everywhere) for target, _ in named]
    for target, names in named:
        if names.keys() & {"repository", "service"}:
            filled = {key: value.replace(WHOLE, target) for key, value in names.items()}
            yield Sighting(environment=target, where=where, **filled)


def _named_in(text: str, *, templates: bool) -> dict[str, str]:
    """Return what a text names, by key: in assignments, in registry addresses, or as words that say what they are.

    Args:
        text: lines of a script, with what is known filled in.
        templates: whether only names are meant that have the target in them.
    """
    assigned = [(_key(name), value) for name, value in ASSIGNED.findall(text)]
    addresses = [("repository", value) for value in ADDRESS.findall(text)]
    words = [(_kind(word), word) for word in WORD.findall(text)]
    found: dict[str, str] = {}
    for key, value in (*assigned, *addresses, *words):
        written = _named(key, value) if key else ""
        if written and "$" not in written and written != WHOLE and (WHOLE in written or not templates):
            found.setdefault(key, written)
    return found


def _kind(word: str) -> str:
    """Return what a word is by its ending, as teams name things."""
    if word.startswith(("http://", "https://")) or "/" in word:
        return ""
    return {"app": "repository", "repo": "repository", "service": "service"}.get(word.rpartition("-")[2], "")


def _members(branch: Branch, branches: Sequence[Branch]) -> tuple[str, ...]:
    """Return the other targets that a branch mentions when it stands for several of them."""
    names = dict.fromkeys(name for each in branches for name in each.targets)
    found = [name for name in names if name not in branch.targets and _mentions(branch.body, name)]
    return tuple(found) if len(found) > 1 else ()


def _mentions(body: str, name: str) -> bool:
    """Return whether a name stands in a text as a word, in brackets, or at the beginning of another name."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w])", body) is not None


def _groups(branches: Sequence[Branch], found: Sequence[Sighting]) -> dict[str, tuple[str, ...]]:
    """Return the targets that stand for several environments; one that stands for all of them is no group."""
    names = tuple(each.environment for each in found)
    groups = {}
    for branch in branches:
        members = tuple(name for name in names if name not in branch.targets and _mentions(branch.body, name))
        if 1 < len(members) < len(names):
            groups.update(dict.fromkeys((target for target in branch.targets if target not in names), members))
    return groups
