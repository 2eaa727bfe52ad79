"""Splits shell code into the branches that it runs for some of its targets: `case`, `if` and `[ … ] && …`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import evolve, frozen

TARGET_NAME = r"[a-z][a-z0-9_-]*"
ARM_NAME = rf"""["']?{TARGET_NAME}["']?\*?"""
CASE_ARM = re.compile(
    rf"""(?m)(?:^|(?<=;;))[ \t]*\(?((?:{ARM_NAME}[ \t]*\|[ \t]*)*{ARM_NAME}|\*)\)(.*?)(?:;;|\Z)""",
    re.DOTALL,
)
CASE_STATEMENT = re.compile(r"\bcase[ \t]+(.*?)[ \t]+in\b(.*?)\besac\b", re.DOTALL)
COMPARISON = re.compile(rf"""\$\{{?(\w+)[^\n=!&|]*?[ \t]*(!=|={{1,2}})[ \t]*["']?({TARGET_NAME})["']?(?=[\s\];]|$)""")
VARIABLE = re.compile(r"\$\{?(\w+)")
KEYWORD_LINE = re.compile(
    r"(?:(?<=[;\s])|^)(then|else|elif|fi)\b[ \t]*(?=\S)|;[ \t]*(?=(?:then|else|elif|fi)\b)", re.MULTILINE
)
SHORT_CONDITION = re.compile(r"(?m)^[ \t]*((?:\[\[?|test\b)[^\n]*?)[ \t]*&&[ \t]*([^\n|]+)(?:\|\|[ \t]*([^\n]+))?$")


@frozen(kw_only=True)
class ConditionalBranch:
    """The lines that a script runs for some of its targets.

    Attributes:
        targets: the targets; those of the other branches where it is for the rest.
        body: the lines.
        is_rest: whether it is for every target that the other branches do not name: `else`, or `*)`.
        variable: the variable that is compared; empty when there are several.
    """

    targets: tuple[str, ...]
    body: str
    is_rest: bool = False
    variable: str = ""


def find_branches(code: str) -> Iterator[ConditionalBranch]:
    """Yield the arms of every `case`, and the bodies of every `if` that compares names."""
    for subject, arms in CASE_STATEMENT.findall(code):
        pairs = [(tuple(re.findall(TARGET_NAME, names)), body) for names, body in CASE_ARM.findall(arms)]
        variable = VARIABLE.search(subject)
        yield from _with_rest(pairs, variable[1] if variable else "")
    yield from _find_if_branches(code)


def _with_rest(pairs: list[tuple[tuple[str, ...], str]], variable: str) -> Iterator[ConditionalBranch]:
    all_targets = tuple(target for targets, _ in pairs for target in targets)
    for targets, body in pairs:
        yield ConditionalBranch(targets=targets or all_targets, body=body, is_rest=not targets, variable=variable)


@frozen(kw_only=True)
class _Condition:
    """A condition of an `if`, and the lines below it."""

    text: str
    lines: list[str]

    def branch(self) -> ConditionalBranch:
        comparisons = COMPARISON.findall(self.text)
        return ConditionalBranch(
            targets=tuple(name for _, _, name in comparisons),
            body="\n".join(self.lines),
            is_rest=any(operator == "!=" for _, operator, _ in comparisons),
            variable=comparisons[0][0] if comparisons else "",
        )


def _find_if_branches(code: str) -> Iterator[ConditionalBranch]:
    """Yield the bodies of every `if` that compares names, those of nested ones too."""
    open_conditions: list[list[_Condition]] = []
    for line in _one_keyword_per_line(code).split("\n"):
        keyword, _, rest = line.strip().partition(" ")
        if keyword == "if":
            open_conditions.append([_Condition(text=rest, lines=[])])
        elif keyword in {"elif", "else"} and open_conditions:
            open_conditions[-1].append(_Condition(text=rest if keyword == "elif" else "", lines=[]))
        elif keyword == "fi" and open_conditions:
            yield from _resolve_chain([each.branch() for each in open_conditions.pop()])
        else:
            for conditions in open_conditions:
                conditions[-1].lines.append(line)


def _one_keyword_per_line(code: str) -> str:
    """Return shell code whose conditions are written over several lines."""

    def spread(match: re.Match[str]) -> str:
        rest = f"\nelse\n{match[3]}" if match[3] else ""
        return f"if {match[1]}\nthen\n{match[2]}{rest}\nfi"

    def cut(match: re.Match[str]) -> str:
        separator = " " if match[1] == "elif" else "\n"
        return f"\n{match[1]}{separator}" if match[1] else "\n"

    return KEYWORD_LINE.sub(cut, SHORT_CONDITION.sub(spread, code))


def _resolve_chain(chain: list[ConditionalBranch]) -> Iterator[ConditionalBranch]:
    """Yield the branches of one `if`; the last one without a condition is for what the others exclude."""
    targets = tuple(target for branch in chain for target in branch.targets)
    for branch in chain:
        if branch.targets:
            yield branch
        elif targets and branch is chain[-1]:
            is_rest = not any(each.is_rest for each in chain)
            yield evolve(branch, targets=targets, is_rest=is_rest, variable=chain[0].variable)
