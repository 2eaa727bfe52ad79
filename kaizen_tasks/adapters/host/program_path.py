"""The commands that messages name, as they can be typed where the program is not on `PATH`."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path

COMMAND = re.compile(r"(?<![\w./-])(?P<program>inv|kaizen) (?=[a-z'-])")
"""The beginning of a command of ours in a text."""


def typeable(text: str, *, anywhere: bool = False) -> str:
    """Return a text in which programs that `PATH` does not lead to have the path by which this one was called.

    `PATH` may lead to another program of the same name: `inv` is Invoke's, and another environment may have one.

    Args:
        text: a message or a hint: `next: inv status`.
        anywhere: whether the command must work in another folder than the current one.
    """
    if "inv " not in text and "kaizen " not in text:
        return text
    return COMMAND.sub(lambda command: f"{_program(command['program'], anywhere=anywhere)} ", text)


def _program(name: str, *, anywhere: bool) -> str:
    called, path = Path(sys.argv[0]), Path(sys.argv[0]).with_name(name)
    if len(called.parts) < 2 or called.name not in {"inv", "invoke", "kaizen"} or not path.is_file():
        return name
    found = shutil.which(name)
    if found and path.samefile(found):
        return name
    return shlex.quote(str(path.absolute() if anywhere else path))
