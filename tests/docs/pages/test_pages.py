import re
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

from docs.generating.example_tasks import Task, tasks
from docs.generating.examples import APP_EXAMPLES, LIBRARY_EXAMPLES, ExampleCommand, Purpose
from docs.generating.pages import events_page, exit_codes_page, json_page, steps_page, tasks_page
from docs.generating.pages.json_fields import DOCUMENTS, LOCK
from docs.generating.recordings import Recordings
from docs.generating.session import Recording
from kaizen_tasks import errors
from kaizen_tasks.adapters.console.events import EventType, RunEvent
from kaizen_tasks.cli import json_output
from kaizen_tasks.domain.lock import Lock
from kaizen_tasks.flows import steps

TASK = Task(name="greet", aliases=(), summary="Say hello.", description="", flags=())


def recording(output: str = "hello", *, document: str = "", code: int = 0) -> Recording:
    return Recording(line="inv greet", output=output, document=document, code=code)


def greet_recordings() -> Recordings:
    return {("greet", Purpose.EXAMPLE): recording(), ("greet", Purpose.ERROR): recording("no", code=3)}


def test_a_task_has_its_example_error_and_help() -> None:
    pages = tasks_page.render([TASK], {"greet": "Usage: inv greet"}, greet_recordings())
    (name,) = pages.keys() - {"reference/tasks/index.md"}
    page = pages[name]
    assert f"]({Path(name).name}#greet)" in pages["reference/tasks/index.md"]
    for part in (
        "[`greet`](#greet)",
        "$ inv greet\nhello\n",
        "[3](../exit-codes.md#3)",
        "$ inv greet\nno\n",
        "Usage: inv",
    ):
        assert part in page


def test_a_task_without_an_error_is_refused() -> None:
    del (incomplete := greet_recordings())["greet", Purpose.ERROR]
    with pytest.raises(tasks_page.MissingExample, match="greet lacks a typical error"):
        tasks_page.render([TASK], {"greet": ""}, incomplete)


def test_an_example_of_an_unknown_task_is_refused() -> None:
    with pytest.raises(tasks_page.MissingExample, match="greet is not a task"):
        tasks_page.render([], {}, greet_recordings())


def test_leaf_paths_of_names_and_lists() -> None:
    document = {"a": 1, "environ": {"X": ""}, "list": [{"b": None}, {"b": 2, "c": []}]}
    assert {"a", "environ.NAME", "list[].b", "list[].c"} == set(json_page.leaf_paths(document))


def test_a_field_without_an_explanation_is_refused() -> None:
    recordings: Recordings = {
        (fields.task, Purpose.DOCUMENT): recording(document='{"surprise": 1}') for fields in DOCUMENTS
    }
    with pytest.raises(json_page.ExplanationMismatch, match="surprise"):
        json_page.render([], recordings)


def test_the_fields_of_a_lock_are_those_of_the_code() -> None:
    now = datetime(2027, 5, 4, tzinfo=UTC)
    lock = Lock(environment="mark", token="", actor="sam@laptop", command="deploy", since=now, expires=now)
    assert LOCK.keys() == json_output.lock_and_hold_document(lock, None, now)["lock"].keys()


def test_every_error_class_is_explained_under_its_exit_code() -> None:
    page = exit_codes_page.render()
    for failure in errors.KaizenError.__subclasses__():
        section = page.partition(f"## {failure.exit_code}\n")[2].partition("\n## ")[0]
        assert f"| `{failure.__name__}` |" in section


def test_the_example_of_a_task_is_in_the_page_of_its_group() -> None:
    assert tasks_page.example_link("status") == "tasks/operate.md#status"
    assert tasks_page.example_link("changelog.show") == "tasks/changelog.md#changelogshow"


def test_every_public_step_is_described_with_its_fields() -> None:
    page = steps_page.render()
    assert [name for name in steps.__all__ if f"\n## `{name}`\n" not in page] == []
    assert "steps.CopyImage(environment=..., source=...)" in page
    assert "| `source` |  | the environment whose repository has the image. |" in page


def test_no_object_of_python_is_in_the_reference() -> None:
    leaks = re.compile(r"<(?:class|function|module) |\bobject at 0x|inspect\._empty|\bNOTHING\b")
    pages = Path("docs/reference").rglob("*.md")
    assert [str(page) for page in pages if leaks.search(page.read_text(encoding="utf-8"))] == []


def test_examples_are_about_existing_tasks() -> None:
    commands: tuple[ExampleCommand, ...] = (*APP_EXAMPLES, *LIBRARY_EXAMPLES)
    assert {command.task for command in commands if command.task} <= {task.name for task in tasks()}


def test_every_event_type_and_field_is_explained() -> None:
    page = events_page.render()
    names = [*EventType, *(field.name for field in attrs.fields(RunEvent))]
    assert [name for name in names if f"| `{name}` | " not in page] == []
