"""The changelog: reading, cutting, adding, checking and showing it, in the manner of Keep a Changelog.

Everything here is a function of bytes and values: nothing is read, written or printed.
"""

from kaizen_tasks.domain.changelog.add import add, empty
from kaizen_tasks.domain.changelog.check import check
from kaizen_tasks.domain.changelog.cut import release
from kaizen_tasks.domain.changelog.entries import CHANGE_TYPES, ChangeType, Entry, Group
from kaizen_tasks.domain.changelog.fix import fix
from kaizen_tasks.domain.changelog.html_page import to_html
from kaizen_tasks.domain.changelog.links import Link
from kaizen_tasks.domain.changelog.model import Changelog, Section, parse
from kaizen_tasks.domain.changelog.part import ChangePart, Reasoned, contradicts, infer_part
from kaizen_tasks.domain.changelog.problem import Problem
from kaizen_tasks.domain.changelog.proof import prove_cut
from kaizen_tasks.domain.changelog.sarif import sarif
from kaizen_tasks.domain.changelog.show import to_json, to_json_list, to_markdown

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
