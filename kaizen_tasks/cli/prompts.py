"""Asks the user, at a terminal, before something is changed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from kaizen_tasks.cli.correction import typed_line
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.domain.text.printable import printable
from kaizen_tasks.errors import NOTHING_CHANGED, Refused
from kaizen_tasks.wiring import Toolbox


def confirm_protected(environments: Sequence[Environment], tools: Toolbox, *, yes: bool) -> None:
    """Ask for the app's name before a protected environment is changed.

    Raises:
        Refused: the answer is another one, or there is no terminal.
    """
    protected = ", ".join(environment.name for environment in environments if environment.protected)
    if not protected or yes or tools.dry:
        return
    _require_terminal(f"{protected} is protected")
    app = tools.settings.app
    if prompt_line(f"{protected} is protected. Type {app} to continue: ") != app:
        raise Refused(
            f"{protected} is protected, and the answer was not {app}",
            state=NOTHING_CHANGED,
            hint=f"run the same command again and answer {app}; without a question: {typed_line('--yes')}",
        )


def confirm_yes_no(question: str, *, yes: bool) -> None:
    """Ask a question that is answered with yes or no.

    Raises:
        Refused: the answer is not yes, or there is no terminal.
    """
    if yes:
        return
    _require_terminal(f'the question "{question}?" needs an answer')
    if prompt_line(f"{question}? [y/N] ").lower() not in {"y", "yes"}:
        raise Refused(f"{question}: the answer was no", state=NOTHING_CHANGED)


def agrees(question: str) -> bool:
    """Return whether the user agrees; without a terminal nobody can object. Ctrl-C is a no."""
    if not sys.stdin.isatty():
        return True
    sys.stderr.write("\n")  # after the ^C that the terminal shows
    try:
        return prompt_line(f"{question} [y/N] ").lower() in {"y", "yes"}
    except KeyboardInterrupt:
        return False


def _require_terminal(subject: str) -> None:
    if not sys.stdin.isatty():
        raise Refused(
            f"{subject}, and there is no terminal to confirm on",
            state=NOTHING_CHANGED,
            hint=typed_line("--yes"),
        )


def prompt(question: str, default: str) -> str:
    """Ask for text; an empty line, the end of the input or `yes` means the default, and `no` asks again."""
    while (answer := prompt_line(f"{question} [{default}]: ")).lower() in {"n", "no"}:
        pass
    return default if answer.lower() in {"", "y", "yes"} else answer


def prompt_line(text: str) -> str:
    """Print a prompt on stderr, since stdout may be a document, and return the line that is typed."""
    sys.stderr.write(printable(text))
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line and sys.stderr.isatty():  # Ctrl-D leaves the cursor behind the prompt
        sys.stderr.write("\n")
    return line.strip()
