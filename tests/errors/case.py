"""One row of a table of errors: a mistake, what is printed for it, and where the hint leads."""

from __future__ import annotations

import re

from attrs import frozen

PROGRAMS = "inv|kaizen|git|aws|pip|chmod|rm|kill|echo|export|unset|ls|cp|cd|mkdir|df"
PASTED = re.compile(
    rf"(?:^|: )(?P<command>(?:{PROGRAMS}) (?:(?!: ).)+?)(?:[;,] (?:and |then )?run the same command again)?$"
)
"""A command that can be pasted: the whole hint, or what follows its last colon."""
PASTE = "(the command in the hint)"
"""Stands for that command among the lines that a user types."""


@frozen(kw_only=True)
class Case:
    """What a user does, and what happens.

    Attributes:
        mistake: what is wrong, in words.
        before: shell lines that make it so, typed in the app's folder.
        typed: the command that fails.
        code: its exit code.
        says: a part of its error's first line.
        hint: the error's last line; `*` stands for what differs from run to run; empty if the first line says all.
        lists: a part of what is printed before the error: a list of what is wrong.
        follow: shell lines in which the user does what the hint says; by default the command in the hint is pasted.
        leads_to: exit code of the last of these lines; 3 where the command is right and there are no credentials.
        changes: whether it gets as far as changing something in the cloud.
        leaves: a pattern for the paths of files that differ afterwards; empty, as hardly any error leaves one.
        again: exit code of the failed command when it is typed again after that; by default 0 if the hint says to.
    """

    mistake: str
    before: tuple[str, ...] = ()
    typed: str
    code: int
    says: str
    hint: str = ""
    lists: str = ""
    follow: tuple[str, ...] = ()
    leads_to: int = 0
    changes: bool = False
    leaves: str = ""
    again: int | None = None

    def lines_to_follow(self, hint: str) -> tuple[str, ...]:
        """Return what the user types because of a hint."""
        pasted = pasted_command(hint)
        return tuple(pasted if line == PASTE else line for line in self.follow or (PASTE,) if pasted or line != PASTE)

    @property
    def code_again(self) -> int | None:
        """Exit code of the same command afterwards; None when it is not typed again."""
        return 0 if self.again is None and "run the same command again" in self.hint else self.again


def pasted_command(hint: str) -> str:
    """Return the command in a hint, as a user pastes it; empty when it has none."""
    match = PASTED.search(hint)
    return match["command"] if match else ""
