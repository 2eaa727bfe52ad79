from pathlib import Path

import pytest

from docs.generating import guides
from docs.generating.story import SceneFailed
from docs.generating.terminal import Terminal
from docs.generating.walkthrough import CommandLine, FileStep, parse_steps, rewrite, starting_point

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


def terminal(folder: Path) -> Terminal:
    return Terminal.start(folder / "memory", folder=folder, environ={"PATH": "/usr/bin:/bin"})


def test_reads_files_and_lines_in_their_order() -> None:
    file, first, second, silent = parse_steps(PAGE)
    assert FileStep(path="app.py", content='print("hello")\n', appended=False) == file
    assert [each.text for each in (first, second, silent) if isinstance(each, CommandLine)] == [
        "python app.py",
        "python app.py \\\n  --loudly",
        "rm app.py",
    ]


def test_puts_what_was_said_below_each_command_and_nowhere_else() -> None:
    first, second = (each.place for each in parse_steps(PAGE) if isinstance(each, CommandLine) and each.place)
    page = rewrite(PAGE, {first: "hello", second: ""})
    assert PAGE.replace("as it was", "hello") == page


def test_knows_where_a_page_begins() -> None:
    assert (starting_point(PAGE), starting_point("# Only to read\n")) == ("nowhere", "")


def test_remembers_folder_variables_and_exit_code(tmp_path: Path) -> None:
    shell = terminal(tmp_path)
    shell.type("mkdir below && cd below && export GREETING=hello")
    shell.type("(exit 3)")
    assert shell.type('echo $? "$(basename "$PWD")" $GREETING').text == "3 below hello\n"


def test_writes_files_where_the_terminal_is(tmp_path: Path) -> None:
    shell = terminal(tmp_path)
    shell.type("mkdir below && cd below")
    shell.write("notes", "one\n", appended=False)
    shell.write("notes", "two\n", appended=True)
    assert (tmp_path / "below" / "notes").read_text() == "one\ntwo\n"


def test_a_command_may_fail_only_where_its_code_is_asked_for(tmp_path: Path) -> None:
    shell = terminal(tmp_path)
    asked = "```console\n$ false\n$ echo $?\n```\n"
    assert list(guides.run_page("page.md", asked, shell).values()) == ["", "1\n"]
    with pytest.raises(SceneFailed, match=r"page.md: \$ false"):
        guides.run_page("page.md", "```console\n$ false\n```\n", shell)
