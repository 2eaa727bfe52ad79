"""Finds what the workflows of GitHub Actions build and deploy: their actions, their commands and their variables."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

import yaml
from attrs import evolve, frozen
from yaml.nodes import Node, ScalarNode

from kaizen_tasks.domain.init import evidence
from kaizen_tasks.domain.init.detect import yaml_nodes
from kaizen_tasks.domain.init.detect.app_folder import TOP, AppFolder
from kaizen_tasks.domain.init.detect.github.actions import action_facts
from kaizen_tasks.domain.init.detect.github.step import Step
from kaizen_tasks.domain.init.detect.job_needs import needed_jobs
from kaizen_tasks.domain.init.detect.shell import commands as shell_commands
from kaizen_tasks.domain.init.detect.shell.commands import SERVICE_ARN, ShellText, is_unknown
from kaizen_tasks.domain.init.detect.yaml_nodes import child, items, line_of, pairs, text, text_at
from kaizen_tasks.domain.init.evidence import (
    APP_RUNNER,
    Facts,
    Ignored,
    ImageBuild,
    Mention,
    Trust,
)
from kaizen_tasks.domain.init.naming import contains_word
from kaizen_tasks.domain.init.pipeline import STAGE_NAMES_BY_RANK

WORKFLOW_PATH = re.compile(r"(?:.*/)?\.github/workflows/[^/]+\.ya?ml")
STAGE_NAMES = tuple(name for names in STAGE_NAMES_BY_RANK for name in sorted(names))

REGISTRY = "aws.dkr.ecr.aws.amazonaws.com"
"""Stands for the registry of the account, which only the action that logs in knows."""

REPOSITORY_VARIABLE = re.compile(
    r"(?i)^(?:AWS_)?(?:ECR_)?(?:REPO|REPOSITORY|ECR_REPO(?:SITORY)?(?:_NAME)?|REPOSITORY_NAME|IMAGE_REPO(?:SITORY)?|ECR_IMAGE)$"
)
SERVICE_VARIABLE = re.compile(r"(?i)^(?:AWS_)?(?:APP_?RUNNER|ECS)_?SERVICE(?:_NAME|_ARN)?$")
CLUSTER_VARIABLE = re.compile(r"(?i)^(?:AWS_)?(?:ECS_)?CLUSTER(?:_NAME|_ARN)?$")
CONTAINER_VARIABLE = re.compile(r"(?i)^(?:ECS_)?CONTAINER_NAME$")
ENVIRONMENT_INPUT = re.compile(r"(?i)^(?:deploy_?)?(?:env|environment|stage)(?:_?name)?$")
ROLE_ARN = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/[\w+=,.@/-]+")
REGION_VARIABLE = re.compile(r"(?i)^(?:AWS_(?:DEFAULT_)?REGION|REGION)$")


@frozen(kw_only=True)
class JobRun:
    """A job for one combination of its matrix.

    Attributes:
        job_step: the job, as if it were a step.
        steps: what its steps show, in order.
    """

    job_step: Step
    steps: tuple[Facts, ...]

    @property
    def builds(self) -> tuple[ImageBuild, ...]:
        """What its steps build."""
        return tuple(build for step in self.steps for build in step.builds)


@frozen(kw_only=True)
class Job:
    """A job of a workflow.

    Attributes:
        node: the job.
        runs: one for each combination of its matrix.
        builds: what it builds; without any, what the jobs build that it needs.
    """

    node: Node
    runs: tuple[JobRun, ...]
    builds: tuple[ImageBuild, ...]


def facts_from_workflow(path: str, content: str, app: AppFolder = TOP) -> Facts:
    """Return the facts in a workflow, without those of jobs that build the images of other apps.

    Args:
        path: the workflow.
        content: its text.
        app: the app's folder.
    """
    try:
        root = yaml_nodes.parse_yaml(content)
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        return Facts(ignored=(Ignored(what=path, source=f"{path}:{line}", reason="is no YAML that can be read"),))
    trust = evidence.trust_in(path, Trust.WORKFLOW)
    jobs = [*_jobs(path, root, trust)]
    others = [job.node for job in jobs if app.is_for_neighbours(job.builds)]
    content = yaml_nodes.without_nodes(content, others)
    comments = Facts(ignored=evidence.find_in_comments(content, path))
    own_jobs = (job for job in jobs if job.node not in others)
    facts = evidence.combine_facts((*chain.from_iterable(_job_facts(root, job, app) for job in own_jobs), comments))
    if not facts.environment_facts and not facts.platforms:
        return Facts(builds=tuple(each for each in facts.builds if each.repository))  # it tests, it does not deploy
    code = evidence.strip_comments(content)
    regions = facts.regions or evidence.find_regions(code, path, trust)
    return evolve(facts, regions=regions, accounts=evidence.find_account_ids(code, path, trust))


def _jobs(path: str, root: Node | None, trust: Trust) -> Iterator[Job]:
    nodes = dict(pairs(child(root, "jobs")))
    runs = {name: tuple(_runs(path, root, name, node, trust)) for name, node in nodes.items()}
    builds = {name: tuple(build for run in runs[name] for build in run.builds) for name in nodes}
    for name, node in nodes.items():
        needed = tuple(chain.from_iterable(builds[each] for each in needed_jobs(name, nodes)))
        yield Job(node=node, runs=runs[name], builds=builds[name] or needed)


def _runs(path: str, root: Node | None, name: str, job: Node, trust: Trust) -> Iterator[JobRun]:
    shared, branch = _env(root, {}), _branch(root)
    for matrix in _matrix(job):
        values = {**shared, **matrix}
        values |= _env(job, values)
        environment = _environment(path, name, job, values) or branch
        steps = tuple(_step_facts(path, job, values, environment, trust))
        step = Step(path=path, node=job, values=values, environment=environment, trust=trust)
        yield JobRun(job_step=step, steps=steps)


def _job_facts(root: Node | None, job: Job, app: AppFolder) -> Iterator[Facts]:
    for run in job.runs:
        if app.is_for_neighbours(run.builds):
            continue
        found = [*app.without_neighbours(run.steps)]
        found.append(_variable_facts(run.job_step, (root, job.node, *items(child(job.node, "steps")))))
        yield from found
        if any(each.environment_facts for each in found):
            yield _target_facts(job.node, run.job_step.values, run.job_step)


def _branch(root: Node | None) -> str:
    """Return the branch whose pushes start a workflow, if it is one that is named like a stage."""
    events = next((node for key, node in pairs(root) if key in {"on", "true"}), None)
    branches = [text(each) for each in items(child(events, "push", "branches"))]
    return branches[0] if len(branches) == 1 and branches[0] in STAGE_NAMES else ""


def _target_facts(job: Node, values: Mapping[str, str], job_step: Step) -> Facts:
    """Return the account, region and role of the environment that a job deploys to."""
    if not job_step.environment:
        return Facts()
    for node in items(child(job, "steps")):
        if not text_at(node, "uses").startswith("aws-actions/configure-aws-credentials"):
            continue
        step = evolve(job_step, node=node, values={**values, **_env(node, values)})
        role = ROLE_ARN.fullmatch(step.fill(text_at(node, "with", "role-to-assume")))
        region = step.fill(text_at(node, "with", "aws-region"))
        found = {
            **({"role": role[0], "account": role[1]} if role else {}),
            **({"region": region} if evidence.REGION_NAME.fullmatch(region) else {}),
        }
        if found:
            return Facts(environment_facts=(step.fact(step.place(node), **found),))
    return Facts()


def _env(node: Node | None, values: Mapping[str, str]) -> dict[str, str]:
    step = Step(path="", node=ScalarNode("", ""), values=values, environment="", trust=Trust.WORKFLOW)
    return {f"env.{name}": step.fill(text(value)) for name, value in pairs(child(node, "env"))}


def _matrix(job: Node) -> Iterator[dict[str, str]]:
    """Yield the values of each combination of a job's matrix, or none of them when it has no matrix."""
    axes, included = {}, []
    for name, node in pairs(child(job, "strategy", "matrix")):
        if name == "include":
            included = [{f"matrix.{key}": text(value) for key, value in pairs(each)} for each in items(node)]
        elif name != "exclude":
            axes[f"matrix.{name}"] = [text(each) for each in items(node)]
    if included and not axes:
        yield from included
        return
    for combination in itertools.islice(itertools.product(*axes.values()), 32):
        yield dict(zip(axes, combination, strict=True))


def _environment(path: str, job_name: str, job: Node, values: Mapping[str, str]) -> str:
    """Return the environment of a job: as it says, or as its name or that of the workflow does."""
    node = child(job, "environment")
    step = Step(path=path, node=job, values=values, environment="", trust=Trust.WORKFLOW)
    said = step.fill(text(node) or text_at(node, "name"))
    if said and not is_unknown(said) and re.fullmatch(r"[\w.-]+", said):
        return said.lower()
    in_env = next(
        (values[f"env.{name}"] for name in ("ENVIRONMENT", "ENV", "STAGE", "ENV_NAME") if values.get(f"env.{name}")), ""
    )
    if in_env and not is_unknown(in_env):
        return in_env.lower()
    in_matrix = next((value for key, value in values.items() if key.startswith("matrix.env")), "")
    if in_matrix:
        return in_matrix
    given = (
        step.fill(text(value))
        for name, value in pairs(child(job, "with") if child(job, "uses") else None)
        if ENVIRONMENT_INPUT.fullmatch(name.replace("-", "_"))
    )
    if (named := next(given, "")) and re.fullmatch(r"[\w.-]+", named):
        return named.lower()
    stem = posixpath.basename(path).rpartition(".")[0]
    for name in (job_name, stem):
        words = [
            stage
            for stage in STAGE_NAMES
            if contains_word(name.replace("_", "-"), stage) and stage not in {"test", "testing"}
        ]
        if len(words) == 1:
            return words[0]
    return ""


def _step_facts(path: str, job: Node, values: dict[str, str], environment: str, trust: Trust) -> Iterator[Facts]:
    for node in items(child(job, "steps")):
        own = values | _env(node, values)
        step = Step(path=path, node=node, values=own, environment=environment, trust=trust)
        action = text_at(node, "uses").partition("@")[0].lower()
        if action:
            yield action_facts(step, action)
        if action == "aws-actions/amazon-ecr-login":
            values[f"steps.{text_at(node, 'id')}.outputs.registry"] = REGISTRY
        if run := child(node, "run"):
            yield from _command_facts(step, job, run)
            variables = _variables(own)
            for name, value, file in shell_commands.github_outputs(step.fill(text(run)), variables):
                key = f"env.{name}" if file == "ENV" else f"steps.{text_at(node, 'id')}.outputs.{name}"
                values[key] = value


def _variables(values: Mapping[str, str]) -> dict[str, str]:
    return {key.removeprefix("env."): value for key, value in values.items() if key.startswith("env.")}


def _command_facts(step: Step, job: Node, run: Node) -> Iterator[Facts]:
    is_block = isinstance(run, ScalarNode) and run.style in {"|", ">"}
    folder = step.fill(text_at(step.node, "working-directory") or text_at(job, "defaults", "run", "working-directory"))
    root = posixpath.dirname(posixpath.dirname(posixpath.dirname(step.path)))  # that of the repository
    shell = ShellText(
        path=step.path,
        text=evidence.strip_comments(step.fill(text(run))),
        line=line_of(run) + is_block,
        variables=_variables(step.values),
        folder=posixpath.normpath(posixpath.join(root, folder if not is_unknown(folder) else ".")),
        environment=step.environment,
        trust=step.trust,
    )
    return shell_commands.facts_from_commands(shell)


def _variable_facts(step: Step, nodes: Iterable[Node | None]) -> Facts:
    """Return the facts in `env:` blocks, and in the inputs of a called workflow, by the names of their variables."""
    facts, regions = [], []
    tables = [*(child(each, "env") for each in nodes), child(step.node, "with") if child(step.node, "uses") else None]
    for name, node in (pair for each in tables for pair in pairs(each)):
        value, place = step.fill(text(node)), step.place(node)
        if is_unknown(value) or not value:
            continue
        if REGION_VARIABLE.fullmatch(name) and evidence.REGION_NAME.fullmatch(value):
            regions.append(Mention(value=value, source=place, trust=step.trust))
        elif found := _named_by_variable(name.replace("-", "_"), value):
            facts.append(step.fact(place, **found))
    return Facts(environment_facts=tuple(facts), regions=tuple(regions))


def _named_by_variable(name: str, value: str) -> dict[str, str]:
    """Return what the value of a variable names, by the variable's name."""
    if REPOSITORY_VARIABLE.fullmatch(name):
        return {"repository": (value.partition(".amazonaws.com/")[2] or value).partition(":")[0]}
    if SERVICE_VARIABLE.fullmatch(name):
        arn = SERVICE_ARN.search(value)
        names = {"service": arn[1]} if arn else shell_commands.ecs_names(value, "")
        platform = {"platform": APP_RUNNER} if "runner" in name.lower() else {}
        return {**platform, **{key: each for key, each in names.items() if each}}
    if CLUSTER_VARIABLE.fullmatch(name):
        return {"cluster": shell_commands.ecs_names("", value)["cluster"]}
    return {"container": value} if CONTAINER_VARIABLE.fullmatch(name) else {}
