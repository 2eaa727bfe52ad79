"""Turns a configuration into `Settings`, or reports every problem at once: file, path, what is wrong, nearest name."""

from __future__ import annotations

import copy
import os
import posixpath
import re
from functools import partial
from operator import attrgetter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from kaizen_tasks.config import before_deploy, checks, notify
from kaizen_tasks.config.checks import suggest
from kaizen_tasks.config.env_overrides import variable_name
from kaizen_tasks.config.load import with_defaults
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.config.structure import ConfigProblem, StructureError, structure
from kaizen_tasks.config.tables import BuildRules, RawConfig, RawEnvironment, RuntimeTable, VersionFile
from kaizen_tasks.domain.platform import PLATFORMS
from kaizen_tasks.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kaizen_tasks.config.load import ConfigFile, TomlTable
    from kaizen_tasks.domain.build.secret import BuildSecret
    from kaizen_tasks.domain.environment import Environment
    from kaizen_tasks.domain.line import Line
    from kaizen_tasks.domain.request_header import SecretHeader
    from kaizen_tasks.domain.runtime_config import KeyRule
    from kaizen_tasks.domain.smoke import SmokeCheck

INVOKE_FILES = "invoke.yaml or another configuration of Invoke"
SHARED_REPOSITORY_ADVICE = ', and both follow the tag {tag}; to share it, write follow = "{{env}}" in [defaults]'


def build_settings(config_file: ConfigFile, merged_table: TomlTable) -> Settings:
    """Check a configuration and return it as settings.

    Args:
        config_file: the file as it was read.
        merged_table: the file's content, overridden by Invoke's own sources: `invoke.yaml`, `inv -f` and `INVOKE_*`.

    Raises:
        ConfigurationError: with every problem there is.
    """
    if config_file.error:
        raise ConfigurationError((config_file.error,), hint=config_file.hint)
    keys = RawConfig._fields
    problems = [ConfigProblem(key, f"unknown key{suggest(key, keys)}") for key in config_file.table if key not in keys]
    table = {key: merged_table[key] for key in keys if key in merged_table}
    try:
        raw = structure(_without_defaults(table), RawConfig)
    except StructureError as error:
        problems += (*error.problems, *_remaining_problems(error, table))
        raise _config_error(config_file, tuple(problems), merged_table) from None
    problems += (*_validate_required_keys(raw), *_validate(raw))
    if problems:
        raise _config_error(config_file, tuple(problems), merged_table)
    return _resolve(config_file, raw)


def _without_defaults(table: TomlTable) -> TomlTable:
    """Return the keys that differ from their defaults, which need no converter; `repr` tells `true` from 1."""
    defaults = with_defaults({})
    return {key: value for key, value in table.items() if repr(value) != repr(defaults.get(key))}


def _remaining_problems(error: StructureError, table: TomlTable) -> tuple[ConfigProblem, ...]:
    """Return the problems that remain when every value that does not fit is replaced by its default."""
    remainder = copy.deepcopy(table)
    for problem in error.problems:
        _remove_value(remainder, problem.path.split("."))
    try:
        return tuple(_validate(structure(remainder, RawConfig)))
    except StructureError:
        return ()  # a key without default is left: what refers to its table cannot be checked


def _remove_value(table: TomlTable, path: list[str]) -> None:
    """Remove the value at a path; if it is in a list, remove the whole list, since the other items would move."""
    while size := _first_table_size(table, path):
        table, path = table[".".join(path[:size])], path[size:]
    table.pop(path[0] if path[0] in table else ".".join(path), None)


def _first_table_size(table: TomlTable, path: list[str]) -> int:
    """Return how many words of a path name a table; a name with dots has several. Zero if the path ends here."""
    sizes = (size for size in range(len(path) - 1, 0, -1) if isinstance(table.get(".".join(path[:size])), dict))
    return next(sizes, 0)


def _config_error(
    config_file: ConfigFile, problems: tuple[ConfigProblem, ...], merged_table: TomlTable
) -> ConfigurationError:
    return ConfigurationError(tuple(_problem_text(config_file, problem, merged_table) for problem in problems))


def _problem_text(config_file: ConfigFile, problem: ConfigProblem, merged_table: TomlTable) -> str:
    """Return place and problem, as one sentence where the message continues it: `kaizen.toml: app is missing`."""
    separator = " " if problem.message.startswith(("is ", "has ", "should be ")) else ": "
    from kaizen_tasks.domain.text.token import without_tokens

    message = without_tokens(problem.message, merged_table)
    return f"{_source(config_file, problem.path, merged_table)}{separator}{message}"


def _source(config_file: ConfigFile, path: str, merged_table: TomlTable) -> str:
    """Return where a value is from: the variable or the file of Invoke that overrides it, or its place in our file."""
    words = path.split(".")
    variable = variable_name(words)
    if variable in os.environ:
        return variable
    is_ours = words[0] in RawConfig._fields
    value, own_value = (_value_at(with_defaults(table), words) for table in (merged_table, config_file.table))
    is_override = is_ours and value != own_value
    return f"{INVOKE_FILES if is_override else config_file.name}: {_shown_path(merged_table, words)}"


def _shown_path(table: TomlTable, words: list[str]) -> str:
    """Return a path as people count: `notify.1.on.0` as `notify[2 of 3].on[1 of 1]`."""
    shown = words[0]
    for size, word in enumerate(words[1:], start=1):
        members = _value_at(table, words[:size])
        if isinstance(members, list) and word.isdigit():
            shown += f"[{int(word) + 1} of {len(members)}]"
        else:
            shown += f".{word}"
    return shown


def _value_at(table: object, path: list[str]) -> object:
    """Return the value at a path, None without one; a name with dots has several words of the path."""
    if not path:
        return table
    if isinstance(table, list):
        position = path[0]
        return _value_at(table[int(position)], path[1:]) if position.isdigit() and int(position) < len(table) else None
    if not isinstance(table, dict):
        return None
    sizes = (size for size in range(len(path), 0, -1) if ".".join(path[:size]) in table)
    size = next(sizes, 0)
    return _value_at(table[".".join(path[:size])], path[size:]) if size else None


def _validate(raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find names that refer to nothing, and values that contradict each other."""
    yield from _validate_names(raw)
    environments, stages = tuple(raw.environments), (*raw.environments, *raw.groups)
    for stage in raw.pipeline:
        if stage not in stages:
            message = f"{stage!r} is neither an environment nor a group{suggest(stage, stages)}"
            yield ConfigProblem("pipeline", message)
    for group, members in raw.groups.items():
        yield from _validate_group(group, members, environments)
    yield from _validate_lines(raw)
    yield from _validate_former_names(raw)
    yield from _validate_followed_tags(raw)
    yield from _validate_targets(raw)
    yield from _validate_no_sharing(raw)
    for name, secret in raw.build.secrets.items():
        yield from _validate_build_secret(f"build.secrets.{name}", secret)
    for name, header in raw.verify.headers.items():
        yield from _validate_secret_header(name, header)
    for position, check in enumerate(raw.smoke):
        yield from _validate_check(f"smoke.{position}", check)
    yield from before_deploy.validate(raw)
    yield from notify.validate(raw)
    yield from _validate_runtime(raw.runtime)
    for position, version_file in enumerate(raw.version_files):
        yield from _validate_version_file(f"version_files.{position}", version_file, raw)


NAME_CHECKS: Mapping[str, Callable[[str], str]] = {
    "environments": checks.name,
    "groups": checks.name,
    "build.args": checks.argument_name,
    "build.contexts": checks.context_name,
    "build.secrets": checks.secret_id,
    "changelog.types": checks.heading,
    "changelog.rules": checks.lint_rule,
    "rehearse.env": checks.service_variable,
    "runtime.keys": checks.key_name,
}
"""Tables whose keys are names that the user chooses, and what these may be."""


def _validate_names(raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find names that would mean something else in a command, a path, a workflow or a request."""
    for table, check in NAME_CHECKS.items():
        yield from (ConfigProblem(table, error) for error in map(check, attrgetter(table)(raw)) if error)
    yield from _validate_resource_names(raw)
    yield from _validate_build_paths(raw.build)


def _validate_build_paths(rules: BuildRules) -> Iterator[ConfigProblem]:
    """Find a build context that cannot be a folder of the repository, and a Dockerfile outside what is exported."""
    context = PurePosixPath(rules.context)
    if context.is_absolute() or not str(context).isprintable():
        yield ConfigProblem("build.context", f"{rules.context!r} is not a folder relative to the app's folder")
        return
    dockerfile = posixpath.normpath(context / rules.dockerfile)
    is_inside = dockerfile.split("/").count("..") <= rules.exported_folder.count("..")
    if not is_inside or dockerfile.startswith("/") or not dockerfile.isprintable():
        where = "the app's folder" if rules.exported_folder == "." else "the build context"
        yield ConfigProblem("build.dockerfile", f"{rules.dockerfile!r} is not a path inside {where}")


def _validate_resource_names(raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find names of resources that no service could have, after their placeholders are filled in."""
    resource_checks = {
        "repository": checks.repository_name,
        "cluster": checks.cluster_name,
        "task": checks.cluster_name,
        "secret": checks.secret_name,
        "url": checks.url,
    }
    for name, raw_environment in raw.environments.items():
        if checks.name(name) or checks.app_name(raw.app):
            continue  # that is the problem
        resource_checks["service"] = partial(checks.service_name, raw_environment.template("platform", raw))
        for key, check in resource_checks.items():
            if error := check(_fill(raw_environment.template(key, raw), name, raw)):
                yield ConfigProblem(f"environments.{name}.{key}", error)


def _validate_targets(raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find accounts that no credentials belong to, and keys that the platform of their environment does not have."""
    for name, raw_environment in raw.environments.items():
        path, kind = f"environments.{name}", PLATFORMS[raw_environment.template("platform", raw)]
        account, role = raw_environment.account, raw_environment.role
        if account and raw.aws.account not in {"", account} and not (role or raw_environment.profile):
            message = f"differs from aws.account, {raw.aws.account}: role or profile says whose credentials it takes"
            yield ConfigProblem(f"{path}.account", message)
        if account and role and role.split(":")[4] != account:
            yield ConfigProblem(f"{path}.role", f"{role!r} is not a role of the account {account}")
        if raw_environment.follow and not kind.follows_tag:
            message = f"is not for {kind.title}, which is told the digest: no tag moves"
            yield ConfigProblem(f"{path}.follow", message)
        if not kind.has_address and not raw_environment.template("url", raw):
            yield ConfigProblem(f"{path}.url", f"is missing: {kind.title} gives a service no address")


def _validate_required_keys(raw: RawConfig) -> Iterator[ConfigProblem]:
    if not raw.app:
        yield ConfigProblem("app", "is missing (the app's name)")
    if raw.environments and not raw.aws.region:
        yield ConfigProblem("aws.region", "is missing (the region of the repositories and services)")
    if raw.environments and not raw.pipeline:
        yield ConfigProblem("pipeline", "is missing (the stages in the order in which a release reaches them)")


def _validate_group(group: str, members: tuple[str, ...], environments: tuple[str, ...]) -> Iterator[ConfigProblem]:
    if group in environments:
        yield ConfigProblem(f"groups.{group}", "is also the name of an environment")
    if not members:
        yield ConfigProblem(f"groups.{group}", "has no environments")
    for position, member in enumerate(members):
        if member not in environments:
            message = f"{member!r} is not an environment{suggest(member, environments)}"
            yield ConfigProblem(f"groups.{group}", message)
        elif member in members[:position]:
            yield ConfigProblem(f"groups.{group}", f"{member!r} is listed twice")


def _validate_lines(raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find lines that are no series of versions, and environments that are unknown or would stay on two lines."""
    if not raw.lines:
        return
    from kaizen_tasks.domain.line import is_line_name

    owners: dict[str, str] = {}
    for name, line in raw.lines.items():
        if not is_line_name(name):
            yield ConfigProblem("lines", f"{name!r} is not a line such as '1.x' or '1.2.x'")
        for environment in line.environments:
            if environment not in raw.environments:
                message = f"{environment!r} is not an environment{suggest(environment, raw.environments)}"
                yield ConfigProblem(f"lines.{name}.environments", message)
            elif (owner := owners.setdefault(environment, name)) != name:
                yield ConfigProblem(f"lines.{name}.environments", f"{environment!r} stays on the line {owner}")


def _validate_former_names(raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find former names that are still, or also, those of another environment, which would share its history."""
    owners = {name: name for name in raw.environments}
    for environment, raw_environment in raw.environments.items():
        for former_name in raw_environment.formerly:
            if owner := owners.get(former_name):
                message = f"{former_name!r} is {'listed twice' if owner == environment else f'also a name of {owner}'}"
                yield ConfigProblem(f"environments.{environment}.formerly", message)
            owners[former_name] = environment


def _validate_followed_tags(raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find names that are no tags of an image, or that only a version may have."""
    for name, raw_environment in raw.environments.items():
        if not PLATFORMS[raw_environment.template("platform", raw)].follows_tag:
            continue
        template = raw_environment.template("follow", raw)
        if error := checks.followed_tag(_fill(template, name, raw)):
            key = f"environments.{name}.follow" if raw_environment.follow else "defaults.follow"
            yield ConfigProblem(key, error)


def _validate_no_sharing(raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find environments that have a service, secret or followed tag in common, and so would change each other."""
    for key in ("repository", "service", "secret"):
        owners: dict[tuple[str, ...], str] = {}
        for name, raw_environment in raw.environments.items():
            kind = PLATFORMS[raw_environment.template("platform", raw)]
            if key == "repository" and not kind.follows_tag:
                continue  # digests do not collide
            template, target = raw_environment.template(key, raw), raw_environment.target(raw.aws)
            followed_tag = _fill(raw_environment.template("follow", raw), name, raw)
            cluster = _fill(raw_environment.template("cluster", raw), name, raw) if kind.has_cluster else ""
            scope = {"repository": followed_tag, "service": cluster, "secret": ""}[key]
            resource = (target.account, target.region, scope, _fill(template, name, raw))
            owner = owners.setdefault(resource, name)
            if owner != name:
                advice = SHARED_REPOSITORY_ADVICE.format(tag=followed_tag) if key == "repository" else ""
                yield ConfigProblem(f"environments.{name}.{key}", f"{template!r} is also used by {owner}{advice}")


def _fill(template: str, name: str, raw: RawConfig) -> str:
    return template.replace("{env}", name).replace("{app}", raw.app)


def _validate_check(path: str, check: SmokeCheck) -> Iterator[ConfigProblem]:
    """Find requests that cannot be sent and answers that cannot come."""
    from kaizen_tasks.domain.smoke import METHODS

    if error := checks.url_path(check.path):
        yield ConfigProblem(f"{path}.path", error)
    if check.method not in METHODS:
        suggestion = suggest(check.method.upper(), METHODS)
        yield ConfigProblem(f"{path}.method", f"{check.method!r} is not a method{suggestion}")
    for status in check.status:
        if not 200 <= status <= 599:
            yield ConfigProblem(f"{path}.status", f"{status} is not an HTTP status of an answer")
    if error := checks.not_zero(check.timeout):
        yield ConfigProblem(f"{path}.timeout", error)
    yield from _validate_check_body(path, check)
    yield from _validate_check_headers(path, check)


def _validate_check_body(path: str, check: SmokeCheck) -> Iterator[ConfigProblem]:
    if check.body and check.method in {"GET", "HEAD"}:
        yield ConfigProblem(f"{path}.body", f'{check.method} sends no body; write method = "POST"')
    if check.method == "HEAD" and (check.contains or check.json):
        yield ConfigProblem(f"{path}.method", "the answer to HEAD has no body to check")
    for pointer in check.json:
        if error := checks.json_pointer(pointer):
            yield ConfigProblem(f"{path}.json", error)


def _validate_check_headers(path: str, check: SmokeCheck) -> Iterator[ConfigProblem]:
    from kaizen_tasks.domain.request_header import HEADER_NAME, HEADER_VALUE

    for key, headers in (("headers", check.headers), ("request_headers", check.request_headers)):
        for name, value in headers.items():
            if not HEADER_NAME.fullmatch(name):
                yield ConfigProblem(f"{path}.{key}", f"{name!r} is not the name of a header")
            elif not HEADER_VALUE.fullmatch(value):
                yield ConfigProblem(f"{path}.{key}.{name}", "has characters that a header cannot have")


def _validate_secret_header(name: str, header: SecretHeader) -> Iterator[ConfigProblem]:
    """Find headers that have no value, or that no request could have."""
    from kaizen_tasks.domain.request_header import HEADER_NAME, HEADER_VALUE

    path = f"verify.headers.{name}"
    if not HEADER_NAME.fullmatch(name):
        yield ConfigProblem("verify.headers", f"{name!r} is not the name of a header")
    if not header.env and not header.secret:
        yield ConfigProblem(path, "is empty: env or secret says where the value is")
    if header.env and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", header.env):
        yield ConfigProblem(f"{path}.env", f"{header.env!r} is not the name of a variable")
    if header.secret:
        error = checks.name_template(header.secret) or checks.secret_name(header.secret_name("env", "app"))
        yield from [ConfigProblem(f"{path}.secret", error)] if error else []
    if error := checks.json_pointer(header.key):
        yield ConfigProblem(f"{path}.key", error)
    if not HEADER_VALUE.fullmatch(header.prefix):
        yield ConfigProblem(f"{path}.prefix", "has characters that a header cannot have")


def _validate_build_secret(path: str, secret: BuildSecret) -> Iterator[ConfigProblem]:
    """Find secrets without a source, or with two."""
    if secret.env and secret.file:
        yield ConfigProblem(path, "has both env and file: one of them says where the value is")
    elif not secret.env and not secret.file:
        yield ConfigProblem(path, "is empty: env or file says where the value is")
    if secret.env and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", secret.env):
        yield ConfigProblem(f"{path}.env", f"{secret.env!r} is not the name of a variable")
    if "," in secret.file or not secret.file.isprintable():
        yield ConfigProblem(f"{path}.file", f"{secret.file!r} is not a path that engines accept")


def _validate_version_file(path: str, rule: VersionFile, raw: RawConfig) -> Iterator[ConfigProblem]:
    """Find files of which nothing says where the version is, or which have no keys."""
    from kaizen_tasks.domain.version_files.documents import PARSERS, find_parser

    if rule.path in {"VERSION", raw.changelog.file}:
        yield ConfigProblem(f"{path}.path", f"{rule.path!r} is changed by every release already")
    if rule.key and rule.pattern:
        yield ConfigProblem(path, "has both key and pattern: one of them says where the version is")
    elif not rule.key and not rule.pattern:
        yield ConfigProblem(path, 'has neither key nor pattern: where is the version? As in key = "version"')
    elif rule.key and find_parser(rule.path) is None:
        message = f"{rule.path!r} is none of the files with keys ({', '.join(PARSERS)}); write a pattern"
        yield ConfigProblem(f"{path}.key", message)


def _validate_runtime(runtime: RuntimeTable) -> Iterator[ConfigProblem]:
    """Find keys that no value could satisfy, and names that refer to nothing."""
    for name in runtime.visible:
        if name not in runtime.keys:
            message = f"{name!r} is not in runtime.keys{suggest(name, tuple(runtime.keys))}"
            yield ConfigProblem("runtime.visible", message)
    for name, key in runtime.keys.items():
        yield from _validate_runtime_key(f"runtime.keys.{name}", key)


def _validate_runtime_key(path: str, key: KeyRule) -> Iterator[ConfigProblem]:
    from kaizen_tasks.domain.runtime_config import KEY_TYPES
    from kaizen_tasks.domain.text.json_document import NUMBER_PATTERNS

    if key.type not in KEY_TYPES:
        yield ConfigProblem(f"{path}.type", f"{key.type!r} is not a type{suggest(key.type, KEY_TYPES)}")
        return
    if key.type == "choice" and not key.choices:
        yield ConfigProblem(f"{path}.choices", "is missing (a list of the texts that the value may be)")
    if key.type != "choice" and key.choices:
        yield ConfigProblem(f"{path}.choices", f"is only for the type 'choice', not for {key.type!r}")
    for bound in ("min", "max"):
        if getattr(key, bound) is not None and key.type not in NUMBER_PATTERNS:
            yield ConfigProblem(f"{path}.{bound}", f"is only for numbers, not for the type {key.type!r}")
    if key.min is not None and key.max is not None and key.min > key.max:
        yield ConfigProblem(f"{path}.min", f"{key.min:g} is above the max of {key.max:g}")


def _resolve(config_file: ConfigFile, raw: RawConfig) -> Settings:
    values = raw._asdict() | {
        "root": config_file.root,
        "environments": {name: _resolve_environment(name, entry, raw) for name, entry in raw.environments.items()},
        "lines": _resolve_lines(raw) if raw.lines else (),
        "notify": notify.targets(raw) if raw.notify else (),
        "runtime_table": raw.runtime,
        "variables": {
            header.env: os.environ[header.env] for header in raw.verify.headers.values() if header.env in os.environ
        },
    }
    del values["defaults"], values["before_deploy"], values["runtime"]
    return Settings(**values)


def _resolve_lines(raw: RawConfig) -> tuple[Line, ...]:
    from kaizen_tasks.domain.line import Line

    return tuple(
        Line(name=name, branch=rules.branch, environments=rules.environments) for name, rules in raw.lines.items()
    )


def _resolve_environment(name: str, raw_environment: RawEnvironment, raw: RawConfig) -> Environment:
    from kaizen_tasks.domain.environment import Environment

    def fill(key: str) -> str:
        return raw_environment.template(key, raw).format(env=name, app=raw.app)

    return Environment(
        name=name,
        platform=fill("platform"),
        repository=fill("repository"),
        service=fill("service"),
        target=raw_environment.target(raw.aws),
        cluster=fill("cluster"),
        container=fill("container"),
        follow=fill("follow"),
        formerly=raw_environment.formerly,
        url=fill("url").rstrip("/"),
        secret=fill("secret"),
        protected=raw.defaults.protected if raw_environment.protected is None else raw_environment.protected,
        min_age=raw.evidence.min_age if raw_environment.min_age is None else raw_environment.min_age,
        before_deploy=before_deploy.commands(name, raw),
        task=before_deploy.task_settings(fill("task"), raw_environment, raw),
    )
