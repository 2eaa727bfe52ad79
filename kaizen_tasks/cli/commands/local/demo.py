"""`demo`."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import JSON_HELP


@command(
    handler="local.demo.demo",
    help={
        "keep": "keep everything running, in this new or empty folder",
        "engine": "auto, docker, podman, buildah or bundle; auto is docker if the base image is there, else bundle",
        "json": JSON_HELP,
    },
)
def demo(c: Context, keep: str = "", engine: str = "auto", json: bool = False) -> None:
    """Release and promote an example app on a local cloud: release-staging, promote-prod, promote-beta."""
