"""Hotfixes of two tenants from one release, in two clones at once: two numbers, two commits, two images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from tests.crash.handovers import cloud_variables
from tests.crash.library import Library, wait_for_result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.crash.cloud_fork_server import CloudForkServer
    from tests.crash.sandbox import TeamSandbox

TENANTS = ("mark", "shane")
MAX_RUNS = 3
"""The loser of a race is told to run the same command again."""


def race_two_hotfixes(sandbox: TeamSandbox, folder: Path, fork_server: CloudForkServer) -> tuple[str, ...]:
    """Run two hotfixes concurrently, the loser again, and return what is wrong."""
    copy = sandbox.copy_to(folder).start_cloud(fork_server)
    try:
        clones = {name: _clone(copy, name) for name in TENANTS}
        commands = {name: clone.start("hotfix", "--env", name) for name, clone in clones.items()}
        results = {name: wait_for_result(command) for name, command in commands.items()}
        for name, clone in clones.items():
            for _ in range(MAX_RUNS):
                if results[name].code:
                    results[name] = clone.inv("hotfix", "--env", name)
        return tuple(_problems(copy, {name: f"{result.code} {result.err}" for name, result in results.items()}))
    finally:
        copy.destroy()


def _clone(copy: TeamSandbox, name: str) -> Library:
    """Return a clone with a change of its own on a hotfix branch."""
    clone = copy.library.clone_for_colleague(copy.folder / name)
    clone = evolve(clone, environ={**clone.environ, **cloud_variables(copy.library.environ)})
    clone.repository.git("switch", "--quiet", "--create", f"hotfix/{name}")
    clone.inv("changelog.add", "--type", "fixed", "--text", f"What {name} has found").expect_success()
    clone.repository.git("commit", "--quiet", "--all", "--message", name)
    return clone


def _problems(copy: TeamSandbox, results: dict[str, str]) -> Iterator[str]:
    if any(result.strip() != "0" for result in results.values()):
        yield f"they end with {results}"
    images = {name: _latest_image(copy, name) for name in TENANTS}
    (first_tags, first_digest), (second_tags, second_digest) = images.values()
    if first_tags & second_tags != {"latest"} or first_digest == second_digest:
        yield f"they share a number or an image: {images}"
    claims = copy.repository.remote_git("for-each-ref", "refs/kaizen")
    if claims:
        yield f"claims are left: {claims}"


def _latest_image(copy: TeamSandbox, name: str) -> tuple[set[str], str]:
    images = copy.call_aws("ecr", "DescribeImages", repositoryName=f"{name}-web-app")["imageDetails"]
    return next(
        (set(image["imageTags"]), image["imageDigest"]) for image in images if "latest" in image.get("imageTags", ())
    )
