from datetime import UTC, datetime

import pytest

from docs.generating import exit_codes_page, json_page, tasks_page
from docs.generating.coach import Task, tasks
from docs.generating.json_fields import DOCUMENTS, LOCK
from docs.generating.recording import Recording
from docs.generating.scenes import EXAMPLE_SCENE, LIBRARY_SCENE, Purpose, SceneCommand
from docs.generating.story import Recordings
from kaizen_tasks import errors
from kaizen_tasks.cli import json_output
from kaizen_tasks.domain.lock import Lock

TASK = Task(name="greet", aliases=(), summary="Say hello.", description="", flags=())


def recording(people: str = "hello", *, document: str = "", code: int = 0) -> Recording:
    return Recording(line="inv greet", people=people, document=document, code=code)


def shown() -> Recordings:
    return {("greet", Purpose.EXAMPLE): recording(), ("greet", Purpose.ERROR): recording("no", code=3)}


def test_shows_a_task_with_example_error_and_help() -> None:
    page = tasks_page.render([TASK], {"greet": "Usage: inv greet"}, shown())
    for part in (
        "[`greet`](#greet)",
        "$ inv greet\nhello\n",
        "[3](exit-codes.md#3)",
        "$ inv greet\nno\n",
        "Usage: inv",
    ):
        assert part in page


def test_refuses_a_task_without_an_error() -> None:
    del (lacking := shown())["greet", Purpose.ERROR]
    with pytest.raises(tasks_page.MissingExample, match="greet lacks a typical error"):
        tasks_page.render([TASK], {"greet": ""}, lacking)


def test_refuses_a_scene_of_a_task_that_is_gone() -> None:
    with pytest.raises(tasks_page.MissingExample, match="greet is no task"):
        tasks_page.render([], {}, shown())


def test_names_every_leaf_of_a_document() -> None:
    document = {"a": 1, "environ": {"X": ""}, "list": [{"b": None}, {"b": 2, "c": []}]}
    assert {"a", "environ.NAME", "list[].b", "list[].c"} == set(json_page.leaf_paths(document))


def test_refuses_a_field_that_nobody_explains() -> None:
    said: Recordings = {(each.task, Purpose.DOCUMENT): recording(document='{"surprise": 1}') for each in DOCUMENTS}
    with pytest.raises(json_page.ExplanationMismatch, match="surprise"):
        json_page.render([], said)


def test_explains_every_field_of_a_lock() -> None:
    now = datetime(2027, 5, 4, tzinfo=UTC)
    lock = Lock(environment="mark", token="", actor="sam@laptop", command="deploy", since=now, expires=now)
    assert LOCK.keys() == json_output.lock_and_hold_document(lock, None, now)["lock"].keys()


def test_explains_every_failure_under_its_exit_code() -> None:
    page = exit_codes_page.render()
    for failure in errors.KaizenError.__subclasses__():
        section = page.partition(f"## {failure.exit_code}\n")[2].partition("\n## ")[0]
        assert f"| `{failure.__name__}` |" in section


def test_every_task_that_scenes_show_exists() -> None:
    takes: list[SceneCommand] = [take for take in (*EXAMPLE_SCENE, *LIBRARY_SCENE) if take.task]
    assert {take.task for take in takes} <= {task.name for task in tasks()}
