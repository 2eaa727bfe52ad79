"""Turns what was written into `Settings`, or into every problem at once.

A problem is one line: file, path, what is wrong, and the nearest valid name.
"""

from __future__ import annotations

import copy
import string
from typing import TYPE_CHECKING

import attrs

from kaizen_tasks.config import validate_runtime
from kaizen_tasks.config.load import with_defaults
from kaizen_tasks.config.raw import Written, WrittenEnvironment
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.config.structure import Misfit, Problem, fit, nearest
from kaizen_tasks.config.validate_smoke import of_check
from kaizen_tasks.domain.environment import Environment
from kaizen_tasks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kaizen_tasks.config.load import Raw, Source

ENGINES = ("auto", "docker", "podman", "buildah", "bundle")
PLATFORMS = ("apprunner",)
KEYS = tuple(attribute.name for attribute in attrs.fields(Written))


def read(source: Source, merged: Raw) -> Settings:
    """Check a configuration and return it as settings.

    Args:
        source: the file as it was found.
        merged: its content with defaults below and Invoke's own layers (`invoke.yaml`, `inv -f`, `INVOKE_*`) above.

    Raises:
        ConfigurationError: with every problem there is.
    """
    if source.fault:
        raise ConfigurationError((source.fault,), hint=source.hint)
    problems = [Problem(key, f"unknown key{nearest(key, KEYS)}") for key in source.raw if key not in KEYS]
    said = {key: merged[key] for key in KEYS if key in merged}
    try:
        written = fit(said, Written)
    except Misfit as misfit:
        problems += (*misfit.problems, *_behind(misfit, said))
        raise _error(source, tuple(problems)) from None
    problems += (*_missing(written), *_dangling(written))
    if problems:
        raise _error(source, tuple(problems))
    return _resolve(source, written)


def _behind(misfit: Misfit, said: Raw) -> tuple[Problem, ...]:
    """Return what else is wrong, with the default in every place that does not fit."""
    left = copy.deepcopy(said)
    for problem in misfit.problems:
        _cut_out(left, problem.path.split("."))
    try:
        return tuple(_dangling(fit(with_defaults(left), Written)))
    except Misfit:
        return ()  # a table is missing whole; what it would refer to cannot be told


def _cut_out(raw: Raw, path: list[str]) -> None:
    """Remove a value; of a list, the whole list, since its other items would move."""
    *above, last = path
    for key in above:
        below = raw.get(key)
        if not isinstance(below, dict):
            last = key
            break
        raw = below
    raw.pop(last, None)


def _error(source: Source, problems: tuple[Problem, ...]) -> ConfigurationError:
    return ConfigurationError(tuple(f"{source.name}: {each.path}: {each.what}" for each in problems))


def _dangling(written: Written) -> Iterator[Problem]:
    """Find names that point nowhere, and values that no type can rule out."""
    environments, stages = tuple(written.environments), (*written.environments, *written.groups)
    for position, stage in enumerate(written.pipeline):
        if stage not in stages:
            what = f"{stage!r} is neither an environment nor a group{nearest(stage, stages)}"
            yield Problem(f"pipeline.{position}", what)
    for group, members in written.groups.items():
        yield from _dangling_group(group, members, environments)
    for name, each in written.environments.items():
        yield from _dangling_environment(f"environments.{name}", each, written)
    yield from _shared(written)
    yield from _out_of_range(written)
    yield from _malformed(written)
    yield from validate_runtime.problems(written.runtime)


def _missing(written: Written) -> Iterator[Problem]:
    if not written.app:
        yield Problem("app", "is missing: the app's name")
    if written.environments and not written.aws.region:
        yield Problem("aws.region", "is missing: the region of the repositories and services")
    if written.environments and not written.pipeline:
        yield Problem("pipeline", "is missing: the stages in the order in which a release reaches them")


def _dangling_group(group: str, members: tuple[str, ...], environments: tuple[str, ...]) -> Iterator[Problem]:
    if group in environments:
        yield Problem(f"groups.{group}", "is the name of an environment too")
    if not members:
        yield Problem(f"groups.{group}", "has no environments")
    for position, member in enumerate(members):
        if member not in environments:
            yield Problem(
                f"groups.{group}.{position}",
                f"{member!r} is not an environment{nearest(member, environments)}",
            )
        elif member in members[:position]:
            yield Problem(f"groups.{group}.{position}", f"{member!r} stands there twice")


def _dangling_environment(path: str, said: WrittenEnvironment, written: Written) -> Iterator[Problem]:
    for key in ("repository", "service", "url", "secret"):
        template = said.template(key, written)
        if not _placeholders(template) <= {"env", "app"}:
            yield Problem(f"{path}.{key}", f"{template!r} has a placeholder other than {{env}} and {{app}}")
    url = said.url or written.defaults.url
    if url and not url.startswith(("https://", "http://")):
        yield Problem(f"{path}.url", f"{url!r} begins with neither https:// nor http://")
    platform = said.platform or written.defaults.platform
    if platform not in PLATFORMS:
        yield Problem(f"{path}.platform", f"{platform!r} is not a platform{nearest(platform, PLATFORMS)}")


def _placeholders(template: str) -> set[str]:
    """Return the names between braces; a template that cannot be filled in has an impossible one."""
    try:
        return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError:
        return {template}


def _shared(written: Written) -> Iterator[Problem]:
    """Find environments that would change each other: by the same `:latest`, service or runtime configuration."""
    for key in ("repository", "service", "secret"):
        owners: dict[str, str] = {}
        for name, said in written.environments.items():
            template = said.template(key, written)
            filled = template.replace("{env}", name).replace("{app}", written.app)
            owner = owners.setdefault(filled, name)
            if owner != name:
                yield Problem(f"environments.{name}.{key}", f"{template!r} is that of {owner} too")


def _out_of_range(written: Written) -> Iterator[Problem]:
    account = written.aws.account
    if account and not (account.isdecimal() and len(account) == 12):
        yield Problem("aws.account", f"{account!r} is not a 12-digit account number")
    if written.build.engine not in ENGINES:
        yield Problem(
            "build.engine",
            f"{written.build.engine!r} is not an engine{nearest(written.build.engine, ENGINES)}",
        )
    for path, number, least in (
        ("verify.matches", written.verify.matches, 1),
        ("rollout.canary", written.rollout.canary, 0),
        ("rollout.parallel", written.rollout.parallel, 1),
        ("rollout.max_failures", written.rollout.max_failures, 0),
    ):
        if number < least:
            yield Problem(path, f"{number} is below {least}")
    if not written.verify.timeout:
        yield Problem("verify.timeout", "leaves no time to ask")


def _malformed(written: Written) -> Iterator[Problem]:
    tag = written.release.tag
    if "{version}" not in tag:
        yield Problem("release.tag", f"{tag!r} does not contain {{version}}")
    elif _placeholders(tag) != {"version"}:
        yield Problem("release.tag", f"{tag!r} has a placeholder other than {{version}}")
    if not written.verify.path.startswith("/"):
        yield Problem("verify.path", f"{written.verify.path!r} does not begin with /")
    for position, check in enumerate(written.smoke):
        yield from of_check(f"smoke.{position}", check)


def _resolve(source: Source, written: Written) -> Settings:
    said = {field.name: getattr(written, field.name) for field in attrs.fields(Written) if field.name != "defaults"}
    environments = {name: _environment(name, each, written) for name, each in written.environments.items()}
    return Settings(**(said | {"root": source.root, "environments": environments}))


def _environment(name: str, said: WrittenEnvironment, written: Written) -> Environment:
    def fill(key: str) -> str:
        return said.template(key, written).format(env=name, app=written.app)

    protected = written.defaults.protected if said.protected is None else said.protected
    return Environment(
        name=name,
        platform=fill("platform"),
        repository=fill("repository"),
        service=fill("service"),
        url=fill("url").rstrip("/"),
        secret=fill("secret"),
        protected=bool(protected),
        min_age=written.evidence.min_age if said.min_age is None else said.min_age,
    )
