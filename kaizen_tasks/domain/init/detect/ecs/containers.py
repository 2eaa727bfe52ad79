"""Finds the container of a task definition that runs the app, and its image, however the definition is written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

PORT_KEYS = ("portMappings", "PortMappings", "port_mappings")
IMAGE = re.compile(r"(?P<host>[^/]*\.dkr\.ecr\.[^/]+|registry\.amazonaws\.com)/(?P<repository>[^:@$]+)(?:[:@].*)?")
"""An image of a registry of ECR, of which the host may only be known to Terraform."""


@frozen(kw_only=True)
class Container:
    """A container of a task definition; empty where the definition does not say it.

    Attributes:
        name: the container's name.
        image: the image.
        port: the port that it listens on.
    """

    name: str = ""
    image: str = ""
    port: str = ""

    @property
    def repository(self) -> str:
        """The repository of the image, if that is one of ECR; else an empty text."""
        match = IMAGE.fullmatch(self.image)
        return match["repository"] if match else ""


def app_container(definitions: object) -> Container:
    """Return the container that runs the app: the first one with an image of ECR, with a port, or that is essential.

    Args:
        definitions: `containerDefinitions` as a sequence of tables, or as a table by name.
    """
    candidates = [*_containers(definitions)]
    if not candidates:
        return Container()
    return max(candidates, key=lambda each: (bool(each[0].repository), bool(each[0].port), each[1]))[0]


def _containers(definitions: object) -> Iterator[tuple[Container, bool]]:
    """Yield each container, and whether it is essential."""
    if isinstance(definitions, Mapping):
        definitions = [{"name": name, **table} for name, table in definitions.items() if isinstance(table, Mapping)]
    for table in definitions if isinstance(definitions, Sequence) and not isinstance(definitions, str) else ():
        if isinstance(table, Mapping):
            name, image = (_text(table, key) for key in ("name", "image"))
            yield Container(name=name, image=image, port=_port(table)), _text(table, "essential").lower() != "false"


def _port(table: Mapping[str, object]) -> str:
    mappings = next((table[key] for key in PORT_KEYS if table.get(key)), ())
    first = mappings[0] if mappings and isinstance(mappings, Sequence) and not isinstance(mappings, str) else {}
    return next(filter(None, (_text(first, key) for key in ("containerPort", "container_port"))), "")


def _text(table: object, key: str) -> str:
    """Return the text of a key, whose first letter is large in CloudFormation."""
    if not isinstance(table, Mapping):
        return ""
    value = table.get(key, table.get(key[0].upper() + key[1:]))
    return str(value) if isinstance(value, str | int | bool) else ""
