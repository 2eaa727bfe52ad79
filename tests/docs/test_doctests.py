from pathlib import Path

import pytest

from docs.generating import doctest_runner
from docs.generating.doctest_parser import CommandLine, FileStep, parse_steps, replace_outputs, starting_point
from docs.generating.recordings import UnexpectedExitCode
from docs.generating.session import BashSession

pytestmark = pytest.mark.integration

PAGE = """\
<!-- starts in: nowhere -->

<!-- write app.py -->
```python
print("hello")
```

```console
$ python app.py
as it was
$ python app.py \\
  --loudly
```

```sh
rm app.py
```

```toml
app = "only to read"
```
"""


def start_session(folder: Path) -> BashSession:
    return BashSession.start(folder / "state", folder=folder, environ={"PATH": "/usr/bin:/bin"})


def test_files_and_lines_are_parsed_in_order() -> None:
    file, first, second, silent = parse_steps(PAGE)
    assert FileStep(path="app.py", content='print("hello")\n', append=False) == file
    assert [line.text for line in (first, second, silent) if isinstance(line, CommandLine)] == [
        "python app.py",
        "python app.py \\\n  --loudly",
        "rm app.py",
    ]


def test_only_shown_outputs_are_replaced() -> None:
    first, second = (step.span for step in parse_steps(PAGE) if isinstance(step, CommandLine) and step.span)
    page = replace_outputs(PAGE, {first: "hello", second: ""})
    assert PAGE.replace("as it was", "hello") == page


def test_starting_point_of_a_page() -> None:
    assert (starting_point(PAGE), starting_point("# Only to read\n")) == ("nowhere", "")


def test_a_session_keeps_folder_variables_and_exit_code(tmp_path: Path) -> None:
    session = start_session(tmp_path)
    session.run("mkdir below && cd below && export GREETING=hello")
    session.run("(exit 3)")
    assert session.run('echo $? "$(basename "$PWD")" $GREETING').output == "3 below hello\n"


def test_a_session_writes_files_below_its_current_folder(tmp_path: Path) -> None:
    session = start_session(tmp_path)
    session.run("mkdir below && cd below")
    session.write("notes", "one\n", append=False)
    session.write("notes", "two\n", append=True)
    assert (tmp_path / "below" / "notes").read_text() == "one\ntwo\n"


def test_a_command_may_fail_only_before_its_exit_code_is_printed(tmp_path: Path) -> None:
    session = start_session(tmp_path)
    page = "```console\n$ false\n$ echo $?\n```\n"
    assert list(doctest_runner.run_page("page.md", page, session).values()) == ["", "1\n"]
    with pytest.raises(UnexpectedExitCode, match=r"page.md: \$ false"):
        doctest_runner.run_page("page.md", "```console\n$ false\n```\n", session)
