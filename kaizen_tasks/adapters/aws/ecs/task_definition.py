"""Task definitions: which container runs the app, and the next revision, which differs in its image alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kaizen_tasks.adapters.aws.clients import Document
from kaizen_tasks.errors import NOTHING_CHANGED, Refused

REGISTRABLE_MEMBERS = (
    *("family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions", "volumes"),
    *("placementConstraints", "requiresCompatibilities", "cpu", "memory", "pidMode", "ipcMode", "proxyConfiguration"),
    *("inferenceAccelerators", "ephemeralStorage", "runtimePlatform", "enableFaultInjection"),
    "trustedExecutionConfiguration",
)
"""Members of a task definition that one can be registered with; all others are ECS's own, such as its revision.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
"""

IMAGE_PLATFORMS = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}
"""What images are built for, by the processor that tasks run on."""

DEFAULT_ARCHITECTURE = "X86_64"
"""The processor of tasks that name none."""

RESERVED_TAG_PREFIX = "aws:"
"""Prefix of tags that AWS sets, and nobody else can."""


def find_container(definition: Document, name: str) -> Document:
    """Return the container of a task definition that runs the app.

    Args:
        definition: the task definition.
        name: the configured name; empty for the essential one.

    Raises:
        Refused: there is no such container, or several are essential and none is configured.
    """
    containers: Sequence[Document] = definition["containerDefinitions"]
    family = definition["family"]
    if name:
        for container in containers:
            if container["name"] == name:
                return container
        names = ", ".join(str(container["name"]) for container in containers)
        message = f"the task definition {family} has no container {name}; it has {names}"
        raise Refused(
            message, state=NOTHING_CHANGED, hint="correct `container` in the configuration of the environment"
        )
    essential = [container for container in containers if container.get("essential", True)]
    if len(essential) == 1:
        return essential[0]
    names = ", ".join(str(container["name"]) for container in essential)
    message = f"the task definition {family} has {len(essential)} essential containers: {names}"
    hint = f'say which one runs the app: container = "{essential[0]["name"]}" in its [environments.…]' if names else ""
    raise Refused(message, state=NOTHING_CHANGED, hint=hint)


def registration(definition: Document, *, container: str, image: str, tags: Sequence[Document]) -> dict[str, Any]:
    """Return the request that registers the next revision of a task definition, which differs in one image alone.

    Args:
        definition: the task definition.
        container: name of the container that gets the image.
        image: reference of the image.
        tags: the tags of the task definition, which a revision does not inherit.
    """
    containers = [
        {**each, "image": image} if each["name"] == container else each for each in definition["containerDefinitions"]
    ]
    return {**_registrable_members(definition, tags), "containerDefinitions": containers}


def repeated_registration(response: Document) -> dict[str, Any]:
    """Return the request that would register a task definition once more, by the answer of `DescribeTaskDefinition`."""
    return _registrable_members(response["taskDefinition"], response.get("tags", ()))


def _registrable_members(definition: Document, tags: Sequence[Document]) -> dict[str, Any]:
    members = {name: definition[name] for name in REGISTRABLE_MEMBERS if definition.get(name) not in (None, "", [])}
    kept_tags = own_tags(tags)
    return {**members, **({"tags": kept_tags} if kept_tags else {})}


def family(reference: str) -> str:
    """Return the family in a reference of a task definition: an ARN, `family:revision` or the family alone."""
    return reference.rpartition("/")[2].partition(":")[0]


def own_tags(tags: Sequence[Document]) -> list[Document]:
    """Return the tags that a request may set."""
    return [tag for tag in tags if not str(tag["key"]).lower().startswith(RESERVED_TAG_PREFIX)]


def pinned_digest(image: str) -> str:
    """Return the digest of a reference such as `host/repository@sha256:…`; empty for one with a tag."""
    return image.partition("@")[2]
