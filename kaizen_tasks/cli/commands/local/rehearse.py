"""`rehearse`."""

from __future__ import annotations

from invoke.context import Context

from kaizen_tasks.cli.command import command
from kaizen_tasks.cli.flag_help import JSON_HELP


@command(
    handler="local.rehearse.rehearse",
    help={
        "flow": "release-staging, promote-prod, 'rollback --env mark' … (default: the release and every promotion)",
        "keep": "keep everything running, in this new or empty folder",
        "engine": "auto, docker, podman, buildah or bundle (default: the configured one)",
        "json": JSON_HELP,
    },
)
def rehearse(c: Context, flow: str = "", keep: str = "", engine: str = "auto", json: bool = False) -> None:
    """Test this app's pipeline in a scratch clone on a local cloud, and show what would change on AWS."""
