"""Finds what pipelines of GitLab, CircleCI, Bitbucket, Azure and CodeBuild deploy, by the commands that they run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import yaml
from attrs import evolve
from yaml.nodes import MappingNode, ScalarNode

from kaizen_tasks.domain.init import evidence
from kaizen_tasks.domain.init.detect import yaml_nodes
from kaizen_tasks.domain.init.detect.app_folder import TOP, AppFolder, repository_top
from kaizen_tasks.domain.init.detect.job_needs import needed_jobs
from kaizen_tasks.domain.init.detect.shell import commands as shell_commands
from kaizen_tasks.domain.init.detect.shell.commands import ShellText
from kaizen_tasks.domain.init.detect.yaml_nodes import child, items, line_of, pairs, text, text_at
from kaizen_tasks.domain.init.evidence import Facts, Trust

if TYPE_CHECKING:
    from yaml.nodes import Node

PIPELINE_PATH = re.compile(
    r"(?:\.\./)*(?:\.gitlab-ci\.ya?ml|\.gitlab/.*\.ya?ml|\.circleci/[\w-]+\.ya?ml|bitbucket-pipelines\.ya?ml|"
    r"azure-pipelines\.ya?ml|(?:.*/)?buildspec[\w.-]*\.ya?ml)"
)
COMMAND_KEYS = frozenset({"script", "before_script", "after_script", "run", "command", "commands", "bash"})
JOB_KEYS = frozenset({"script", "run", "command", "commands", "bash", "steps", "phases"})
"""What a mapping has that is a job, or a step outside of one."""

VARIABLE_KEYS = frozenset({"variables", "environment", "env"})


def facts_from_pipeline(path: str, content: str, app: AppFolder = TOP) -> Facts:
    """Return the facts in a pipeline, without those of jobs that build the images of other apps.

    There are none in a pipeline that deploys nothing.

    Args:
        path: the pipeline.
        content: its text.
        app: the app's folder.
    """
    try:
        root = yaml_nodes.parse_yaml(content)
    except yaml.YAMLError:
        return Facts()
    trust = evidence.trust_in(path, Trust.WORKFLOW)
    others = _neighbour_jobs(path, root, trust, app)
    content = yaml_nodes.without_nodes(content, others)
    commands = _command_facts(path, _without(root, others), _variables(root), "", trust, app)
    facts = evidence.combine_facts((*commands, Facts(ignored=evidence.find_in_comments(content, path))))
    if not facts.environment_facts and not facts.platforms:
        return Facts(builds=tuple(each for each in facts.builds if each.repository))
    code = evidence.strip_comments(content)
    regions, accounts = (find(code, path, trust) for find in (evidence.find_regions, evidence.find_account_ids))
    return evolve(facts, regions=regions, accounts=accounts)


def _neighbour_jobs(path: str, root: Node | None, trust: Trust, app: AppFolder) -> list[Node]:
    """Return the jobs at the top of a pipeline, as GitLab's are, that build other apps or need only such builds."""
    jobs, variables = dict(pairs(root)), _variables(root)
    builds = {
        name: [each for facts in _command_facts(path, job, variables, "", trust, TOP) for each in facts.builds]
        for name, job in jobs.items()
    }
    needed = {name: [build for each in needed_jobs(name, jobs) for build in builds[each]] for name in jobs}
    return [job for name, job in jobs.items() if app.is_for_neighbours(builds[name] or needed[name])]


def _without(root: Node | None, others: Sequence[Node]) -> Node | None:
    """Return a mapping without some of its values."""
    if not isinstance(root, MappingNode):
        return root
    return MappingNode("", [(key, node) for key, node in root.value if node not in others])


def _variables(node: Node | None) -> dict[str, str]:
    """Return the variables that a mapping sets for its commands."""
    tables = [value for key, value in pairs(node) if key in VARIABLE_KEYS]
    return {name: text(value) for table in tables for name, value in pairs(table) if text(value)}


def _command_facts(
    path: str, node: Node | None, variables: Mapping[str, str], environment: str, trust: Trust, app: AppFolder
) -> Iterator[Facts]:
    """Yield the facts of all commands below a node, with the variables and the environment of the nearest job."""
    if app.path and JOB_KEYS & {key for key, _ in pairs(node)}:
        steps = [*_command_facts(path, node, variables, environment, trust, TOP)]
        if not app.is_for_neighbours(build for step in steps for build in step.builds):
            yield from app.without_neighbours(steps)
        return
    for key, value in pairs(node):
        if key in COMMAND_KEYS:
            scalars = (value, *items(value))
            for scalar in (each for each in scalars if isinstance(each, ScalarNode)):
                is_block = scalar.style in {"|", ">"}
                shell = ShellText(
                    path=path,
                    text=evidence.strip_comments(text(scalar)),
                    line=line_of(scalar) + is_block,
                    variables=variables,
                    folder=repository_top(path),
                    environment=environment,
                    trust=trust,
                )
                yield from shell_commands.facts_from_commands(shell)
        own = {**variables, **_variables(value)}
        said = text(child(value, "environment")) or text_at(value, "environment", "name")
        name = said.lower() if re.fullmatch(r"[\w-]+", said) else environment
        yield from _command_facts(path, value, own, name, trust, app)
    for item in items(node):
        yield from _command_facts(path, item, variables, environment, trust, app)
