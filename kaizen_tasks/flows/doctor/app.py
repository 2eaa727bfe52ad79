"""Checks of what the app needs for a release: its Dockerfile, and an endpoint that answers with the version."""

from __future__ import annotations

import difflib
import posixpath
from functools import partial
from typing import TYPE_CHECKING

from kaizen_tasks.config.tables import is_folder
from kaizen_tasks.domain.build import version_endpoint
from kaizen_tasks.domain.dockerfile.parse import parse_dockerfile
from kaizen_tasks.domain.doctor import Finding, Subject, Verdict
from kaizen_tasks.errors import NotFound
from kaizen_tasks.flows.doctor.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.domain.dockerfile.model import Dockerfile
    from kaizen_tasks.ports.tools import Tools

ENGINES_WITHOUT_DOCKERFILE = ("bundle", "stand-in")
LIKENESS = 0.5  # of another build argument that may be meant
ENDPOINT_FIX = (
    'answer it with {{"version": "{example}", "environment": "staging"}}, from the variables APP_VERSION and '
    "ENVIRONMENT; or correct verify.path"
)


def checks(tools: Tools) -> Iterator[Check]:
    """Return the checks of the Dockerfile and of the endpoint."""
    if tools.settings.build.engine not in ENGINES_WITHOUT_DOCKERFILE:
        probe = partial(_check_dockerfile, tools)
        yield Check(subject=Subject("Dockerfile"), probe=probe, before_changes=Verdict.PROBLEM)
        yield Check(subject=Subject("version argument"), probe=partial(_check_version_argument, tools))
        if tools.settings.build.contexts:
            probe = partial(_check_contexts, tools)
            yield Check(subject=Subject("build contexts"), probe=probe, before_changes=Verdict.PROBLEM)
    yield Check(subject=Subject("endpoint"), probe=partial(_check_endpoint, tools))


def _dockerfile_path(tools: Tools) -> str:
    """Return the path of the Dockerfile, relative to the app's folder."""
    rules = tools.settings.build
    return posixpath.normpath(posixpath.join(rules.context, rules.dockerfile))


def _read_dockerfile(tools: Tools) -> Dockerfile:
    path = _dockerfile_path(tools)
    content = tools.scm.read_at(tools.scm.head().commit, path)
    if content is None:
        raise NotFound(f"there is no {path} in the last commit", hint=_missing_dockerfile_hint(path, tools))
    return parse_dockerfile(content.decode(errors="replace"))


def _missing_dockerfile_hint(path: str, tools: Tools) -> str:
    if tools.release_files.read(path) is not None:
        return f"commit it: git add {path} && git commit"
    others = [file for file in tools.scm.find_lines("^[ \t]*FROM[ \t]+[^ \t]") if _is_dockerfile(file)]
    if not others:
        return 'add one, or build without it: engine = "bundle" in [build]'
    nearest = difflib.get_close_matches(path, others, n=1, cutoff=0.0)[0]
    dockerfile = posixpath.relpath(nearest, tools.settings.build.context)
    return f'write dockerfile = "{dockerfile}" in [build]'


def _is_dockerfile(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name.startswith(("dockerfile", "containerfile")) or name.endswith((".dockerfile", ".containerfile"))


def _check_dockerfile(tools: Tools, subject: Subject) -> Iterator[Finding]:
    rules = tools.settings.build
    tools.scm.modified_files(rules.exported_folder)  # refuses a folder outside of the repository
    dockerfile, target = _read_dockerfile(tools), rules.target
    path = _dockerfile_path(tools)
    if not dockerfile.stages:
        yield subject.problem(f"{path} has no FROM", "write the image that it is built from")
    elif dockerfile.find_stage(target) is None:
        names = [stage.name for stage in dockerfile.stages if stage.name]
        fix = f"choose from {', '.join(names)}" if names else "name a stage: FROM … AS " + target
        yield subject.problem(f"{path} has no stage {target}, which build.target names", fix)
    elif unknown := [name for name in dockerfile.secrets if name not in rules.secrets]:
        fix = f'write where it is, such as {unknown[0]} = {{ env = "{unknown[0].upper()}" }} in [build.secrets]'
        yield subject.warning(f"{path} mounts the secret {unknown[0]}, which [build.secrets] lacks", fix)
    else:
        yield subject.ok(f"{path} is committed")


def _check_contexts(tools: Tools, subject: Subject) -> Iterator[Finding]:
    """Check that the folders of further build contexts are committed."""
    rules = tools.settings.build
    tools.scm.modified_files(rules.exported_folder)  # refuses a folder outside of the repository
    folders = {name: posixpath.normpath(source) for name, source in rules.contexts.items() if is_folder(source)}
    missing = [name for name, folder in folders.items() if folder != "." and not tools.scm.tracked_files(folder)]
    for name in missing:
        fix = f"commit its files, or correct build.contexts.{name}"
        yield subject.problem(f"git tracks no file in {folders[name]}, the build context {name}", fix)
    if not missing:
        yield subject.ok(", ".join(rules.contexts))


def _check_version_argument(tools: Tools, subject: Subject) -> Iterator[Finding]:
    path, rules = _dockerfile_path(tools), tools.settings.build
    content, argument = tools.scm.read_at(tools.scm.head().commit, path), rules.version_arg
    dockerfile = parse_dockerfile((content or b"").decode(errors="replace"))
    stage = dockerfile.find_stage(rules.target)
    if stage is None:
        return  # another check says so
    arguments = [name for ancestor in dockerfile.lineage(stage) for name in ancestor.build_args]
    if argument in arguments:
        yield subject.ok(f"{path} takes {argument}")
        return
    is_elsewhere = argument in dockerfile.build_args
    finding = f"has ARG {argument} outside of the stage that is built" if is_elsewhere else f"has no ARG {argument}"
    if similar := difflib.get_close_matches(argument, arguments, n=1, cutoff=LIKENESS):
        fix = f'write version_arg = "{similar[0]}" in [build]'
    else:
        fix = f"write ARG {argument}=dev and ENV APP_VERSION=${argument} at the end of {path}"
    yield subject.warning(f"{path} {finding}: the app may not know its version", fix)


def _check_endpoint(tools: Tools, subject: Subject) -> Iterator[Finding]:
    path = tools.settings.verify.path
    mentions = tools.scm.find_lines(version_endpoint.endpoint_pattern(path))
    if version_endpoint.is_mentioned(mentions) or version_endpoint.is_file(path, tools.scm.find_lines("")):
        yield subject.ok(f"the sources mention {path}")
    else:
        fix = ENDPOINT_FIX.format(example="v1.2.3")
        yield subject.warning(f"no source file mentions {path}, where verify asks for the version", fix)
