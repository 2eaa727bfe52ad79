"""What the stages of a Dockerfile amount to. The expected values are those of `docker inspect`."""

from __future__ import annotations

import pytest

from kaizen_tasks.domain.dockerfile.model import CopiedFiles
from kaizen_tasks.domain.dockerfile.parse import DEFAULT_PATH, parse_dockerfile


@pytest.mark.parametrize(
    ("text", "entrypoint", "command"),
    [
        ('CMD ["a", "b"]', (), ("a", "b")),
        ("CMD a  $B", (), ("/bin/sh", "-c", "a  $B")),
        ('SHELL ["/bin/bash", "-ec"]\nCMD a', (), ("/bin/bash", "-ec", "a")),
        ('ENTRYPOINT ["e"]\ncmd ["a"]', ("e",), ("a",)),
        ('CMD ["a"]\nENTRYPOINT ["e"]', ("e",), ("a",)),
        ("ENTRYPOINT e\nCMD a", ("/bin/sh", "-c", "e"), ("/bin/sh", "-c", "a")),
        ('CMD ["a"]\nCMD ["b"]', (), ("b",)),
        ('ENTRYPOINT ["e"]\nENTRYPOINT []', (), ()),
    ],
)
def test_command_in_exec_and_shell_form(text: str, entrypoint: tuple[str, ...], command: tuple[str, ...]) -> None:
    final = parse_dockerfile(f"FROM scratch\n{text}\n").final

    assert (final.entrypoint, final.command) == (entrypoint, command)
    assert final.arguments == (*entrypoint, *command)


def test_stage_inherits_the_values_of_the_stage_it_is_built_from() -> None:
    dockerfile = parse_dockerfile(
        "FROM python:3.13 AS Base\nENV A=1\nWORKDIR /srv\nEXPOSE 80\nUSER app\nCMD a\nCOPY x /y\n"
        "FROM base\nWORKDIR app\nENV B=$A\nEXPOSE 81\n"
    )
    base, final = dockerfile.stages

    assert (base.name, base.base, base.parent, final.base, final.parent) == ("base", "python:3.13", None, "base", 0)
    assert (final.env, final.workdir, final.exposed_ports) == ({"A": "1", "B": "1"}, "/srv/app", (80, 81))
    assert (final.user, final.command, final.copied) == ("app", ("/bin/sh", "-c", "a"), ())
    assert dockerfile.lineage(final) == (base, final)


def test_entry_point_clears_an_inherited_command() -> None:
    text = 'FROM a AS b\nCMD ["c"]\nFROM b\nENTRYPOINT ["e"]\n'

    assert parse_dockerfile(text).final.arguments == ("e",)


def test_stages_are_found_by_name_and_index() -> None:
    dockerfile = parse_dockerfile("FROM a AS One\nFROM b AS two\nFROM c\n")

    found = [dockerfile.find_stage(target) for target in ("", "one", "TWO", "2", "x")]

    assert [stage and stage.base for stage in found] == ["c", "a", "b", "c", None]


def test_text_without_stages_has_an_empty_final_stage() -> None:
    dockerfile = parse_dockerfile("no Dockerfile\n")

    assert (dockerfile.stages, dockerfile.final.arguments, dockerfile.find_stage("")) == ((), (), None)


def test_base_images_are_named_by_global_arguments() -> None:
    text = (
        "ARG V=3.13\nARG IMAGE=python:$V\nFROM ${IMAGE} AS a\nFROM ${REGISTRY:-docker.io}/node\nFROM a\nFROM scratch\n"
    )

    assert parse_dockerfile(text).images == ("python:3.13", "docker.io/node")
    assert parse_dockerfile(text, {"V": "3.14"}).stages[0].base == "python:3.14"


def test_images_that_files_are_copied_from_are_pulled_too() -> None:
    text = "FROM a AS b\nFROM c\nCOPY --from=B x /\nCOPY --from=0 x /\nCOPY --from=ghcr.io/astral-sh/uv /uv /bin/\n"

    assert parse_dockerfile(text).images == ("a", "c", "ghcr.io/astral-sh/uv")


def test_arguments_reach_the_stages_that_declare_them() -> None:
    text = "ARG A=1\nARG B=2\nFROM x AS first\nARG A\nENV A1=$A B1=$B\nFROM first\nARG B=3\nENV A2=$A B2=$B\n"

    final = parse_dockerfile(text).final

    assert final.env == {"A1": "1", "B1": "", "A2": "", "B2": "3"}
    assert parse_dockerfile(text, {"A": "9", "B": "8"}).final.env == {"A1": "9", "B1": "", "A2": "", "B2": "8"}


def test_declared_arguments_have_their_defaults() -> None:
    dockerfile = parse_dockerfile("ARG TAG=1\nFROM x:$TAG\nARG VERSION=dev OTHER\nARG TAG\n")

    assert dockerfile.final.build_args == {"VERSION": "dev", "OTHER": None, "TAG": None}
    assert dockerfile.build_args == {"TAG": "1", "VERSION": "dev", "OTHER": None}


def test_variables_come_before_arguments() -> None:
    assert parse_dockerfile("FROM x\nARG A=1\nENV A=2\nENV B=$A\n", {"A": "3"}).final.env == {"A": "2", "B": "2"}


def test_variables_of_one_instruction_do_not_see_each_other() -> None:
    text = "FROM x\nENV abc=hello\nENV abc=bye def=$abc\nENV old  spaces  'and' $def\n"

    assert parse_dockerfile(text).final.env == {"abc": "bye", "def": "hello", "old": "spaces  and hello"}


def test_search_path_of_a_base_image_is_taken_to_be_the_usual_one() -> None:
    final = parse_dockerfile('FROM x\nENV PATH="/app/.venv/bin:$PATH"\n').final

    assert final.env == {"PATH": f"/app/.venv/bin:{DEFAULT_PATH}"}


def test_platform_arguments_have_values_for_a_given_platform() -> None:
    text = "FROM --platform=$TARGETPLATFORM x\nARG TARGETARCH\nENV ARCH=$TARGETARCH\n"

    final = parse_dockerfile(text, platform="linux/arm/v7").final

    assert (final.platform, final.env) == ("linux/arm/v7", {"ARCH": "arm"})
    assert parse_dockerfile(text).final.platform == ""


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("EXPOSE 80", (80,)),
        ("EXPOSE 80/tcp 53/udp 443/TCP", (80, 443)),
        ("EXPOSE 8000-8002", (8000, 8001, 8002)),
        ("EXPOSE 8000:80", (80,)),
        ("ARG PORT=9000\nEXPOSE $PORT\nEXPOSE ${OTHER:-9001}/tcp", (9000, 9001)),
        ('ENV PORTS="1 2"\nEXPOSE $PORTS 1', (1, 2)),
        ("EXPOSE http 0 99999 $NONE", ()),
        ("EXPOSE 65535-99999999", (65535,)),
    ],
)
def test_exposed_ports_are_those_of_tcp(text: str, ports: tuple[int, ...]) -> None:
    assert parse_dockerfile(f"FROM x\n{text}\n").final.exposed_ports == ports


def test_working_directory_is_relative_to_the_one_before() -> None:
    text = "FROM x\nENV DIR=/opt\nWORKDIR $DIR/a\nWORKDIR b\nWORKDIR ../c/\n"

    assert parse_dockerfile(text).final.workdir == "/opt/a/c"


@pytest.mark.parametrize(
    ("text", "check"),
    [
        (
            "HEALTHCHECK --interval=3s --retries=2 CMD curl -f http://x || exit 1",
            ("CMD-SHELL", "curl -f http://x || exit 1"),
        ),
        ('HEALTHCHECK CMD ["curl", "x"]', ("CMD", "curl", "x")),
        ("HEALTHCHECK CMD x\nHEALTHCHECK NONE", ("NONE",)),
        ("", ()),
    ],
)
def test_health_check(text: str, check: tuple[str, ...]) -> None:
    assert parse_dockerfile(f"FROM x\n{text}\n").final.healthcheck == check


def test_copied_files_have_absolute_destinations() -> None:
    text = (
        "FROM x\nARG DIR=static\nWORKDIR /app\nCOPY . .\nCOPY --chown=a:b --from=css /out/app.css $DIR/app.css\n"
        'ADD ["a b", "/opt/"]\nCOPY only\n'
    )

    assert parse_dockerfile(text).final.copied == (
        CopiedFiles(line=4, sources=(".",), destination="/app/"),
        CopiedFiles(line=5, sources=("/out/app.css",), destination="/app/static/app.css", origin="css"),
        CopiedFiles(line=6, sources=("a b",), destination="/opt/"),
    )


def test_triggers_are_executed_in_the_stage_that_is_built_from_theirs_and_in_no_later_one() -> None:
    text = "FROM x AS a\nONBUILD ENV A=1\nONBUILD EXPOSE 80\nFROM a AS b\nFROM b\nEXPOSE 81\n"
    base, child, grandchild = parse_dockerfile(text).stages

    assert (base.env, base.exposed_ports) == ({}, ())
    assert (child.env, child.exposed_ports, child.triggers) == ({"A": "1"}, (80,), ())
    assert grandchild.exposed_ports == (80, 81)


def test_frontend_is_known() -> None:
    assert parse_dockerfile("# syntax=docker/dockerfile:1\nFROM x\n").syntax == "docker/dockerfile:1"
