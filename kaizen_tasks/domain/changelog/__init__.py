"""The changelog: reading, cutting, adding, checking and showing it, in the manner of Keep a Changelog.

Everything here is a function of bytes and values: nothing is read, written or printed. A module is imported when
something of it is first asked for, as a release needs no checks and a check needs no HTML; so none may have the name of
what it offers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kaizen_tasks.domain.changelog.adding import add, empty
    from kaizen_tasks.domain.changelog.bump_inference import ChangePart, Reasoned, contradicts, infer_part
    from kaizen_tasks.domain.changelog.cut import release
    from kaizen_tasks.domain.changelog.cut_check import prove_cut
    from kaizen_tasks.domain.changelog.entries import CHANGE_TYPES, ChangeType, Entry, Group
    from kaizen_tasks.domain.changelog.links.index import Link
    from kaizen_tasks.domain.changelog.lint.check import check
    from kaizen_tasks.domain.changelog.lint.fix import fix
    from kaizen_tasks.domain.changelog.lint.problem import Problem
    from kaizen_tasks.domain.changelog.lint.sarif_report import sarif
    from kaizen_tasks.domain.changelog.model import Changelog, Section, parse
    from kaizen_tasks.domain.changelog.render.html_page import to_html
    from kaizen_tasks.domain.changelog.render.sections import to_json, to_json_list, to_markdown

__all__ = [
    "CHANGE_TYPES",
    "ChangePart",
    "ChangeType",
    "Changelog",
    "Entry",
    "Group",
    "Link",
    "Problem",
    "Reasoned",
    "Section",
    "add",
    "check",
    "contradicts",
    "empty",
    "fix",
    "infer_part",
    "parse",
    "prove_cut",
    "release",
    "sarif",
    "to_html",
    "to_json",
    "to_json_list",
    "to_markdown",
]

_HOMES = {
    "adding": ("add", "empty"),
    "lint.check": ("check",),
    "cut": ("release",),
    "entries": ("CHANGE_TYPES", "ChangeType", "Entry", "Group"),
    "lint.fix": ("fix",),
    "render.html_page": ("to_html",),
    "links.index": ("Link",),
    "model": ("Changelog", "Section", "parse"),
    "bump_inference": ("ChangePart", "Reasoned", "contradicts", "infer_part"),
    "lint.problem": ("Problem",),
    "cut_check": ("prove_cut",),
    "lint.sarif_report": ("sarif",),
    "render.sections": ("to_json", "to_json_list", "to_markdown"),
}


def __getattr__(name: str) -> object:
    """Import what is asked for.

    Raises:
        AttributeError: there is no such name here.
    """
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
