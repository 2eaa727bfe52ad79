"""From the flags of `runtime.set` to values; `tests/e2e` types the commands."""

from __future__ import annotations

import getpass
import io
import sys
from typing import TYPE_CHECKING

import pytest

from kaizen_tasks.cli.handlers.runtime import _collect_values
from kaizen_tasks.domain.runtime_config import KeyRule, RuntimeRules
from kaizen_tasks.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

RULES = RuntimeRules(
    visible=("TEMPERATURE",),
    keys={
        "TEMPERATURE": KeyRule(type="number", min=0, max=2),
        "TOKEN": KeyRule(type="string"),
        "OTHER": KeyRule(type="string"),
    },
)


def values(*given: str, files: tuple[str, ...] = (), piped: tuple[str, ...] = ()) -> dict[str, str]:
    """Return what flags say."""
    return _collect_values(list(given), list(files), list(piped), RULES)


@pytest.fixture
def token(tmp_path: Path) -> str:
    """A file with a secret and a newline, as editors leave it."""
    (tmp_path / "token").write_text("hu=sh\n")
    return str(tmp_path / "token")


def test_values_come_from_flags_files_and_stdin(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One newline at the end is not part of the value."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("two\nlines\n\n"))

    found = values("TEMPERATURE=0.4", files=(f"TOKEN={token}",), piped=("OTHER",))

    assert found == {"TEMPERATURE": "0.4", "TOKEN": "hu=sh", "OTHER": "two\nlines\n"}


def test_secret_is_typed_without_echo_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    keyboard = io.StringIO()
    monkeypatch.setattr(keyboard, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", keyboard)
    monkeypatch.setattr(getpass, "getpass", lambda prompt, **_: f"typed after {prompt}")

    assert values(piped=("TOKEN",)) == {"TOKEN": "typed after TOKEN: "}


def test_secret_on_the_command_line_is_refused_and_not_printed() -> None:
    with pytest.raises(UsageError, match="does not belong on a command line") as refused:
        values("TOKEN=hush")

    assert refused.value.hint == "--set-file TOKEN=path reads it from a file, --set-stdin TOKEN from stdin"
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "files", "piped", "what"),
    [
        ((), (), (), "runtime.set: no value is given"),
        (("hush",), (), (), "--set needs KEY=VALUE"),
        (("=hush",), (), (), "--set needs KEY=VALUE"),
        (("TEMPERATURE=0.4", "TEMPERATURE=0.5"), (), (), "TEMPERATURE is given twice"),
        (("TEMPERATURE=hush",), (), (), "TEMPERATURE: the value should be a number, such as 0.4"),
        (("TEMPRATURE=1",), (), (), "TEMPRATURE is not in [runtime.keys]"),
        ((), ("hush",), (), "--set-file needs KEY=PATH"),
        ((), ("TOKEN=/nowhere",), (), "--set-file TOKEN: /nowhere: No such file or directory"),
        ((), (f"TOKEN={sys.executable}",), (), f"--set-file TOKEN: {sys.executable} is not text in UTF-8"),
        ((), ("TOKEN=/dev/zero",), (), "--set-file TOKEN: /dev/zero is larger than 64 KiB, more than a secret holds"),
        ((), (), ("TOKEN", "OTHER"), "--set-stdin: stdin holds one value"),
    ],
)
def test_invalid_values_are_usage_errors(
    given: tuple[str, ...], files: tuple[str, ...], piped: tuple[str, ...], what: str
) -> None:
    with pytest.raises(UsageError) as refused:
        values(*given, files=files, piped=piped)

    assert refused.value.message == what
