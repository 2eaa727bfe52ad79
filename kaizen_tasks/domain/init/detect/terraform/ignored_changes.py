"""Finds services of ECS whose image Terraform would set back: those that do not ignore what a deployment changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from kaizen_tasks.domain.init.detect.terraform.hcl import Block, HclError, Node, parse_hcl

OWNED_ATTRIBUTES: Mapping[str, str] = {
    "aws_ecs_service": "task_definition",
    "aws_ecs_express_gateway_service": "primary_container",
}
"""The attribute that a deployment changes, by the type of the resource."""


@frozen(kw_only=True)
class ContestedService:
    """A resource that sets back what a deployment has changed.

    Attributes:
        place: `path:line`.
        address: the resource: `aws_ecs_service.web`.
        attribute: what it must ignore.
    """

    place: str
    address: str
    attribute: str


def find_contested_services(files: Mapping[str, str]) -> Iterator[ContestedService]:
    """Yield the services of ECS in Terraform files whose `lifecycle` does not ignore changes of the image.

    Args:
        files: texts of `.tf` files, by path; those that are no HCL are left out.
    """
    for path, text in sorted(files.items()):
        try:
            blocks = parse_hcl(path, text).blocks
        except HclError:
            continue
        for block in blocks:
            attribute = OWNED_ATTRIBUTES.get(block.labels[0], "") if block.kind == "resource" and block.labels else ""
            if attribute and not {attribute, "all"} & _ignored_names(block):
                yield ContestedService(place=block.source, address=".".join(block.labels), attribute=attribute)


def _ignored_names(block: Block) -> set[str]:
    lifecycle = block.find("lifecycle")
    expression = lifecycle.attributes.get("ignore_changes") if lifecycle else None
    return set(_names(expression.node)) if expression else set()


def _names(node: Node) -> Iterator[str]:
    """Yield every name in an expression, and in the texts of older versions of Terraform."""
    if isinstance(node, str):
        yield str(node).strip('"')
    else:
        for child in node.children:
            yield from _names(child)
