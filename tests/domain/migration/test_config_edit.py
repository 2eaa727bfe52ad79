from __future__ import annotations

import tomllib

import pytest

from kaizen_tasks.domain.migration.config_edit import edit_environment

HEADER = 'app = "coach"\n\n[defaults]\nplatform = "apprunner"\n\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[environments.mark]\n", '[environments.mark]\nplatform = "ecs-express"\n'),
        ("[environments.mark]", '[environments.mark]\nplatform = "ecs-express"\n'),
        (
            "[environments.shane]\n[environments.mark] # a tenant\nprotected = true\n",
            '[environments.shane]\n[environments.mark] # a tenant\nplatform = "ecs-express"\nprotected = true\n',
        ),
        (
            '[environments.mark]\nplatform = "apprunner"  # for now\n',
            '[environments.mark]\nplatform = "ecs-express"  # for now\n',
        ),
        (
            "[environments]\nmark = {}\nshane = {}\n",
            '[environments]\nmark = { platform = "ecs-express" }\nshane = {}\n',
        ),
        (
            "environments.mark = { protected = true }\n",
            'environments.mark = { protected = true, platform = "ecs-express" }\n',
        ),
        (
            "[environments]\nmark.protected = true\nshane = {}\n",
            '[environments]\nmark.protected = true\nmark.platform = "ecs-express"\nshane = {}\n',
        ),
    ],
)
def test_sets_a_key_and_leaves_the_rest_as_it_is_written(before: str, after: str) -> None:
    header = "" if before.startswith("environments.") else HEADER

    edited = edit_environment(header + before, "mark", {"platform": "ecs-express"})

    assert edited == header + after
    assert tomllib.loads(edited)["environments"]["mark"]["platform"] == "ecs-express"


def test_edits_nothing_whose_meaning_it_does_not_know() -> None:
    text = "environments = { mark = {\n} }\n"  # a table over several lines, which TOML 1.0 does not have

    with pytest.raises(tomllib.TOMLDecodeError):
        edit_environment(text, "mark", {"platform": "ecs"})
    assert edit_environment("environments = { 'ma' = {} }\n", "mark", {"platform": "ecs"}) is None


def test_sets_several_keys_in_pyproject_and_removes_them_again() -> None:
    text = '[project]\nname = "x"\n\n[tool.kaizen]\napp = "coach"\n\n[tool.kaizen.environments.mark]\n'
    prefix = ("tool", "kaizen")

    edited = edit_environment(text, "mark", {"platform": "ecs", "cluster": "coach"}, prefix=prefix)

    assert edited is not None
    environments = tomllib.loads(edited)["tool"]["kaizen"]["environments"]
    assert environments == {"mark": {"platform": "ecs", "cluster": "coach"}}
    assert edit_environment(edited, "mark", {"platform": None, "cluster": None}, prefix=prefix) == text


def test_removes_a_member_of_a_table_on_one_line() -> None:
    text = 'environments.mark = { protected = true, platform = "ecs" }\n'

    assert edit_environment(text, "mark", {"platform": None}) == "environments.mark = { protected = true }\n"


def test_changes_only_the_environment_that_is_named() -> None:
    text = '[environments.mark]\nplatform = "apprunner"\n[environments.shane]\nplatform = "apprunner"\n'

    edited = edit_environment(text, "shane", {"platform": "ecs"})

    assert edited == '[environments.mark]\nplatform = "apprunner"\n[environments.shane]\nplatform = "ecs"\n'
