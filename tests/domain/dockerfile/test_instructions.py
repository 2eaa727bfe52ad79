"""Splitting a Dockerfile into instructions."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.dockerfile.instructions import Instruction, read_lines, split_instructions


def instructions(text: str) -> list[tuple[int, str, str]]:
    return [(each.line, each.keyword, each.text) for each in split_instructions(read_lines(text))]


def only_instruction(text: str) -> Instruction:
    (instruction,) = split_instructions(read_lines(text))
    return instruction


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a\n\n# c\n  cmd  b\n", [(1, "FROM", "a"), (4, "CMD", "b")]),
        ("RUN a \\\n  b\nCMD c", [(1, "RUN", "a   b"), (3, "CMD", "c")]),
        ("RUN a \\\n# comment\n\n  # another\n b\nCMD c", [(1, "RUN", "a  b"), (6, "CMD", "c")]),
        ("RUN a \\  \n b\n", [(1, "RUN", "a  b")]),
        ("ENV A b\\\\\nCMD c", [(1, "ENV", "A b\\\\"), (2, "CMD", "c")]),
        ("# escape=`\nRUN a `\nb\nCMD C:\\\n", [(2, "RUN", "a b"), (4, "CMD", "C:\\")]),
        ("#c\n# escape=`\nRUN a \\\nb\n", [(3, "RUN", "a b")]),
        ("\ufeffFROM a\r\nRUN b \\\r\n c\r\n", [(1, "FROM", "a"), (2, "RUN", "b  c")]),
        ("RUN a \\\n", [(1, "RUN", "a")]),
        ("", []),
    ],
)
def test_instructions_are_split_at_lines_that_are_not_continued(
    text: str, expected: list[tuple[int, str, str]]
) -> None:
    assert instructions(text) == expected


def test_directives_are_read_above_everything_else() -> None:
    source = read_lines("# syntax=docker/dockerfile:1\n#ESCAPE = `\n\n# check=skip=all\nFROM a\n")

    assert source.directives == {"syntax": "docker/dockerfile:1", "escape": "`"}
    assert source.escape == "`"


def test_escape_directive_of_another_character_is_ignored() -> None:
    assert read_lines("# escape=x\n").escape == "\\"


@pytest.mark.parametrize(
    ("text", "contents"),
    [
        ("RUN <<EOF\nFROM b\nENV A=1\nEOF", ("FROM b\nENV A=1\n",)),
        ("COPY <<A <<-'B' /x/\n1\nA\n\t2\n\tB", ("1\n", "2\n")),
        ("RUN 3<<EOF cat\nx\nEOF", ("x\n",)),
        ('RUN cat <<<"text"', ()),
        ("RUN <<EOF\nno end", ("no end\n",)),
    ],
)
def test_here_documents_are_no_instructions(text: str, contents: tuple[str, ...]) -> None:
    assert only_instruction(text).here_documents == contents


def test_only_some_instructions_have_here_documents() -> None:
    assert instructions("CMD cat <<EOF\nENV A=1") == [(1, "CMD", "cat <<EOF"), (2, "ENV", "A=1")]


def test_flags_stand_before_the_operands_and_may_be_repeated() -> None:
    instruction = only_instruction('RUN --mount=type=secret,id=a --mount="type=cache" --network ls --all')

    assert instruction.flag_values("mount") == ("type=secret,id=a", '"type=cache"')
    assert instruction.flag_values("network") == ("",)
    assert instruction.flag_values("from") == ()
    assert instruction.text == "ls --all"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('CMD ["a", "b c"]', ("a", "b c")),
        ("CMD []", ()),
        ("CMD ['a']", None),
        ("CMD [1]", None),
        ('CMD {"a": 1}', None),
        ("CMD a", None),
    ],
)
def test_exec_form_is_an_array_of_strings_in_json(text: str, words: tuple[str, ...] | None) -> None:
    assert only_instruction(text).json_words == words
