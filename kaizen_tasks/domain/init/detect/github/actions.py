"""Finds what the actions of a workflow build and deploy, by their inputs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from attrs import evolve

from kaizen_tasks.domain.init import evidence
from kaizen_tasks.domain.init.detect.shell import commands as shell_commands
from kaizen_tasks.domain.init.detect.shell.commands import REGISTRY_ADDRESS, SERVICE_ARN, is_unknown
from kaizen_tasks.domain.init.detect.yaml_nodes import child, line_of, pairs, text
from kaizen_tasks.domain.init.evidence import (
    APP_RUNNER,
    ECS,
    ECS_EXPRESS,
    EnvironmentFact,
    Facts,
    Ignored,
    ImageBuild,
    Mention,
)

if TYPE_CHECKING:
    from yaml.nodes import Node

    from kaizen_tasks.domain.init.detect.github.step import Step

PLATFORM_ACTIONS = {
    "awslabs/amazon-app-runner-deploy": APP_RUNNER,
    "aws-actions/amazon-ecs-deploy-express-service": ECS_EXPRESS,
    "aws-actions/amazon-ecs-deploy-task-definition": ECS,
    "aws-actions/aws-lambda-deploy": "AWS Lambda",
    "einaregilsson/beanstalk-deploy": "AWS Elastic Beanstalk",
    "superfly/flyctl-actions": "Fly.io",
    "akhileshns/heroku-deploy": "Heroku",
    "google-github-actions/deploy-cloudrun": "Google Cloud Run",
    "azure/webapps-deploy": "Azure",
    "azure/container-apps-deploy-action": "Azure",
    "azure/k8s-deploy": "Kubernetes",
}
"""Where an action deploys to."""

CHECKED_OUT = "{{defaultContext}}"
"""The top of the repository as a build context: https://github.com/docker/build-push-action#git-context."""


def action_facts(step: Step, action: str) -> Facts:
    """Return the facts in the inputs of an action."""
    platform = next((name for prefix, name in PLATFORM_ACTIONS.items() if action.startswith(prefix)), "")
    source = f"{step.path}:{line_of(step.node)}"
    platforms = (Mention(value=platform, source=source, trust=step.trust),) if platform else ()
    inputs = dict(pairs(child(step.node, "with")))
    said = {name: step.fill(text(node)) for name, node in inputs.items()}
    facts: list[Facts] = [Facts(platforms=platforms)]
    if action == "awslabs/amazon-app-runner-deploy":
        image = REGISTRY_ADDRESS.search(said.get("image", "")) or re.search(
            r"/([\w./-]+):([^:]+)$", said.get("image", "")
        )
        found = {
            "platform": APP_RUNNER,
            "service": said.get("service", ""),
            "repository": image[1] if image else "",
            "follow": (image[2] or "") if image else "",
        }
        facts += [_found(step, inputs, found)]
        port = said.get("port", "")
        if port.isdigit():
            facts.append(Facts(ports=(Mention(value=port, source=step.place(inputs["port"]), trust=step.trust),)))
    elif action.startswith("aws-actions/amazon-ecs-"):
        facts += _ecs_action_facts(step, action, inputs, said)
    elif action == "docker/metadata-action":
        images = REGISTRY_ADDRESS.search(said.get("images", ""))
        facts.append(_found(step, inputs, {"repository": images[1] if images else ""}))
    elif action == "docker/build-push-action":
        facts.append(Facts(builds=tuple(_image_builds(step, said, source))))
    region = said.get("aws-region") or (said.get("region", "") if platform == APP_RUNNER else "")
    if evidence.REGION_NAME.fullmatch(region):
        node = inputs.get("aws-region") or inputs["region"]
        facts.append(Facts(regions=(Mention(value=region, source=step.place(node), trust=step.trust),)))
    return evidence.combine_facts(facts)


def _ecs_action_facts(step: Step, action: str, inputs: Mapping[str, Node], said: Mapping[str, str]) -> Iterator[Facts]:
    """Yield the facts in the inputs of AWS's actions for ECS; a rendered definition names the app's container."""
    image = REGISTRY_ADDRESS.search(said.get("image", ""))
    repository = image[1] if image else ""
    match action.removeprefix("aws-actions/amazon-ecs-"):
        case "deploy-task-definition" if said.get("service"):
            names = shell_commands.ecs_names(said["service"], said.get("cluster", "") or "default")
            yield _found(step, inputs, {"platform": ECS, **names})
        case "render-task-definition":
            is_app = repository or is_unknown(said.get("image", "$"))  # and no sidecar of a public image
            container = said.get("container-name", "") if is_app else ""
            yield _found(step, inputs, {"repository": repository, "container": container})
        case "deploy-express-service":
            names = shell_commands.ecs_names(said.get("service-name", ""), said.get("cluster", "") or "default")
            yield _found(step, inputs, {"platform": ECS_EXPRESS, **names, "repository": repository})
        case _:
            pass  # another one, or a task without a service
    if said.get("container-port", "").isdigit():
        place = step.place(inputs["container-port"])
        yield Facts(ports=(Mention(value=said["container-port"], source=place, trust=step.trust),))
    if (architecture := said.get("cpu-architecture", "").lower()) in {"arm64", "x86_64"}:
        place = step.place(inputs["cpu-architecture"])
        yield Facts(architectures=(Mention(value=architecture, source=place, trust=step.trust),))


def _found(step: Step, inputs: Mapping[str, Node], values: Mapping[str, str]) -> Facts:
    """Return the facts in an action's inputs; values that only GitHub knows are listed as ignored."""
    places = {"repository": "image", "follow": "image", "container": "container-name", "platform": "uses"}
    nodes = {**inputs, "uses": child(step.node, "uses") or step.node}
    nodes.setdefault("service", inputs.get("service-name", step.node))
    sources = {key: step.place(nodes.get(places.get(key, key), step.node)) for key in values}
    known = {key: value for key, value in values.items() if value and not is_unknown(value)}
    if arn := SERVICE_ARN.search(known.get("service", "")):
        known["service"] = arn[1]
    ignored = tuple(
        Ignored(what=f"{key} {value}", source=sources[key], reason="only GitHub knows its value")
        for key, value in values.items()
        if value and is_unknown(value) and key != "follow"
    )
    if not known.keys() - ({"platform"} if not step.environment else set()):
        return Facts(ignored=ignored)
    source = sources.get("service") or next(iter(sources.values()))
    fact = EnvironmentFact.of(known, environment=step.environment, source=source, trust=step.trust)
    fact = evolve(fact, sources={key: (sources[key], step.trust) for key in known})
    return Facts(environment_facts=(fact,), ignored=ignored)


def _image_builds(step: Step, said: Mapping[str, str], source: str) -> Iterator[ImageBuild]:
    root = posixpath.dirname(posixpath.dirname(posixpath.dirname(step.path)))
    context = said.get("context", ".").removeprefix(CHECKED_OUT).lstrip(":") or "."
    if is_unknown(context) or context.startswith("http"):
        context = "."
    file = said.get("file", "")
    context = posixpath.normpath(posixpath.join(root, context))
    dockerfile = posixpath.join(root, file) if file and not is_unknown(file) else posixpath.join(context, "Dockerfile")
    match = REGISTRY_ADDRESS.search(said.get("tags", ""))
    repository = match[1] if match and not is_unknown(match[1]) else ""
    target = said.get("target", "")
    yield ImageBuild(
        dockerfile=posixpath.normpath(dockerfile),
        context=context,
        repository=repository,
        target="" if is_unknown(target) else target,
        source=source,
    )
