"""Finds the environments that a deployment script handles, by regular expressions for usual ways to write scripts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import evolve

from kaizen_tasks.domain.init import evidence
from kaizen_tasks.domain.init.detect.app_folder import TOP, AppFolder, repository_top
from kaizen_tasks.domain.init.detect.shell import commands as shell_commands
from kaizen_tasks.domain.init.detect.shell.branches import (
    CASE_STATEMENT,
    TARGET_NAME,
    ConditionalBranch,
    find_branches,
)
from kaizen_tasks.domain.init.detect.shell.commands import ShellText
from kaizen_tasks.domain.init.evidence import EnvironmentFact, Facts, Ignored, Trust
from kaizen_tasks.domain.init.pipeline import stage_rank

IMAGE_TOOLS = re.compile(r"\b(?:apprunner|buildah|docker|ecr|ecs|ecspresso|podman)\b")
SCRIPT_PATH = re.compile(r"(?:.*/)?(?:[^/]+\.(?:sh|bash)|Makefile|GNUmakefile|makefile)")
LINE_CONTINUATION = re.compile(r"\\\n[ \t]*")
ARRAY_ASSIGNMENT = re.compile(rf"""(?m)^[ \t]*(\w+)\[["']?({TARGET_NAME})["']?\]=(\S+)""")
ASSOCIATIVE_ARRAY = re.compile(r"(?m)^[ \t]*(?:declare|local|typeset)[ \t]+-\w*A\w*[ \t]+(\w+)=\(([^)]*)\)")
ARRAY_ENTRY = re.compile(rf"""\[["']?({TARGET_NAME})["']?\]=(\S+)""")
LITERAL_ASSIGNMENT = re.compile(
    r"""(?m)^[ \t]*(?:readonly[ \t]+|export[ \t]+|declare[ \t]+-\w+[ \t]+)?"""
    r"""(\w+)=(\([^)$]*\)|"[^"$]*"|'[^']*'|[\w./:-]+)[ \t]*(?:\#.*)?$"""
)
FOR_LOOP = re.compile(r"\bfor[ \t]+(\w+)[ \t]+in[ \t]+([^;\n]+)")
ASSIGNMENT = re.compile(r"""\b(\w+)=["']?([^"'\s;)]+)""")
VARIABLE_REFERENCE = re.compile(r"\$\{?(\w+)(?:\[@\]|\[\*\]|:-[^}]*)?\}?")
TARGET_ASSIGNMENT = re.compile(r"""(?m)\b(\w+)=["']?\$\{?1\b""")
TARGET_DEFAULT = re.compile(rf"""\b(\w+)[:?]?=["']?\$\{{\w+:?[-=]["']?({TARGET_NAME})["']?\}}""")
REGISTRY_ADDRESS = re.compile(r"\.amazonaws\.com/([\w./-]+)")
OTHER_REGISTRY = re.compile(r"(?:https?://|[\w-]+(?:\.[\w-]+)+(?::\d+)?/|localhost|git@)")
SERVICE_ARN = re.compile(r":service/([\w-]+)/")
WORD = re.compile(r"[\w./:{}-]+")
TARGET_VARIABLE = re.compile(r"(?i)env(?:ironment)?(?:_name)?|stage|target|workspace|tenant")
SIMPLE_ASSIGNMENT = re.compile(r"""(?:^|[\s;])(\w+)\s*[:?]?=\s*("[^"]*"|'[^']*'|[^\s;&|"']+)""")
RESOURCE_NAME = re.compile(r"(?!.*\.\w+$)[A-Za-z0-9{}](?:[\w./{}-]*[\w}])")
LITERAL_NAME = re.compile(r"[\w./-]+")
RESOURCE_KEYS = {"repository", "service"}
TARGET_PLACEHOLDER = "{env}"  # replaces the script's target in a text


def facts_from_script(path: str, text: str, app: AppFolder = TOP) -> Facts:
    """Return the facts in a script; there are none in a script that handles no images, or only those of other apps.

    Args:
        path: the script.
        text: its text.
        app: the app's folder.
    """
    stripped = evidence.strip_comments(text)
    if not IMAGE_TOOLS.search(stripped):
        return Facts()
    code = LINE_CONTINUATION.sub(" ", stripped)
    variables = {name: _strip_quotes(value) for name, value in LITERAL_ASSIGNMENT.findall(code)}
    all_branches = tuple(_find_branches(code, variables))
    rest = tuple(_name_rest(all_branches, code, text))
    branches = (*(each for each in all_branches if not each.is_rest), *(each for each in rest if each.targets))
    environment_facts = (*_facts_from_arrays(code, path), *_facts_from_branches(code, branches, path))
    trust = evidence.trust_in(path, Trust.SCRIPT)
    facts = tuple(_with_place(fact, stripped, trust) for fact in environment_facts)
    environments = tuple(dict.fromkeys(fact.environment for fact in facts))
    steps = [
        *shell_commands.facts_from_commands(
            ShellText(path=path, text=stripped, variables=_targets(code), folder=repository_top(path), trust=trust)
        )
    ]
    if app.is_for_neighbours(build for step in steps for build in step.builds):
        return Facts()
    commands = evidence.combine_facts(app.without_neighbours(steps))
    ignored_rest = tuple(_ignored_rest(rest, path, stripped))
    candidates = (*commands.environment_facts, *_facts_from_assignments(path, stripped, trust))
    facts = (*facts, *_other_facts(facts, candidates, ignored_rest)) if facts else candidates
    if not facts and not commands.platforms:
        return Facts(builds=commands.builds)
    return evolve(
        commands,
        environment_facts=facts,
        groups=_find_groups(branches, environments),
        regions=evidence.find_regions(stripped, path, trust),
        accounts=evidence.find_account_ids(stripped, path, trust),
        profiles=evidence.find_profiles(stripped, path, trust),
        ignored=(*ignored_rest, *(() if environments else commands.ignored), *evidence.find_in_comments(text, path)),
    )


def _targets(code: str) -> dict[str, str]:
    """Return the variables that hold the script's target, if its first argument is an environment."""
    names = [name for name in TARGET_ASSIGNMENT.findall(code) if TARGET_VARIABLE.fullmatch(name)]
    return dict.fromkeys((*names, "1"), TARGET_PLACEHOLDER) if names else {}


def _facts_from_assignments(path: str, code: str, trust: Trust) -> Iterator[EnvironmentFact]:
    """Yield the facts in the variables of a script for one service, such as `ECR_REPOSITORY=shop`."""
    values = _targets(code)
    for line, content in shell_commands.logical_lines(code):
        for name, text in SIMPLE_ASSIGNMENT.findall(content):
            values[name] = value = shell_commands.substitute(text.strip("\"'"), values)
            key = _classify_variable(name)
            found = _extract_name(key, value) if key and value else ""
            if key != "url" and RESOURCE_NAME.fullmatch(found):
                yield EnvironmentFact.of({key: found}, environment="", source=f"{path}:{line}", trust=trust)


def _with_place(fact: EnvironmentFact, code: str, trust: Trust) -> EnvironmentFact:
    """Return a fact with the line of each of its values; values are literal but for the name of the environment."""
    trust = min(trust, fact.trust) if fact.trust is Trust.WORD else trust
    values = {key: getattr(fact, key) for key in evidence.FACT_KEYS if getattr(fact, key)}
    sources = {
        key: (f"{fact.source}:{_line_of(value, fact.environment, code)}", trust) for key, value in values.items()
    }
    return evolve(fact, source=next(iter(sources.values()))[0], trust=trust, sources=sources)


def _line_of(value: str, environment: str, code: str) -> int:
    parts = sorted(value.removeprefix("https://").split(environment), key=len, reverse=True)
    patterns = (rf"(?<![\w-]){re.escape(value)}(?![\w-])", *map(re.escape, filter(None, parts)))
    for pattern in patterns:
        for number, line in enumerate(code.split("\n"), start=1):
            if re.search(pattern, line):
                return number
    return 1


def _strip_quotes(value: str) -> str:
    return " ".join(re.findall(r"[^\s\"'()]+", value))


def _facts_from_arrays(code: str, path: str) -> Iterator[EnvironmentFact]:
    """Yield the facts in arrays: `REPOS[prod]="…"` and `declare -A REPOS=([prod]=…)`."""
    rows = ARRAY_ASSIGNMENT.findall(code)
    for array_name, body in ASSOCIATIVE_ARRAY.findall(code):
        rows += [(array_name, *row) for row in ARRAY_ENTRY.findall(body)]
    for array_name, environment, value in rows:
        key = _classify_variable(array_name)
        resource_name = _extract_name(key, value.strip("\"'")) if key else ""
        if resource_name and "$" not in resource_name:
            yield EnvironmentFact.of({key: resource_name}, environment=environment, source=path, trust=Trust.SCRIPT)


def _classify_variable(name: str) -> str:
    """Return the key (repository, service or url) that a variable's name suggests, or an empty string."""
    upper = name.upper()
    if "SERVICE" in upper or upper.endswith(("ARN", "ARNS")):
        return "service"
    if any(part in upper for part in ("URL", "DOMAIN", "HOST")):
        return "url"
    registry = "REGISTRY" in upper or "LIST" in upper
    is_part = registry or any(part in upper for part in ("TAG", "VERSION", "DIGEST", "_ID", "PLATFORM", "_DIR", "PATH"))
    return "repository" if any(part in upper for part in ("REPO", "ECR", "IMAGE")) and not is_part else ""


def _extract_name(key: str, value: str) -> str:
    """Return a key's value in a text: a repository without registry and tag, an ARN's service, a URL with https."""
    if key == "service":
        match = SERVICE_ARN.search(value)
        return match[1] if match else "" if value.startswith("arn:") else value
    if key == "url":
        return value if value.startswith("http") else f"https://{value}"
    address_match = REGISTRY_ADDRESS.search(value)
    if not address_match and OTHER_REGISTRY.match(value):
        return ""
    name = address_match[1] if address_match else value
    return re.sub(r":[\w.{}-]*$", "", name)


def _find_branches(code: str, variables: Mapping[str, str]) -> Iterator[ConditionalBranch]:
    """Yield the branches of a script, with known variables replaced."""
    targets = {"1", *TARGET_ASSIGNMENT.findall(code)}
    for branch in find_branches(code):
        yield evolve(branch, body=_substitute(branch.body, variables, targets))


def _name_rest(branches: Sequence[ConditionalBranch], code: str, text: str) -> Iterator[ConditionalBranch]:
    """Yield the branches for the rest with the targets that they are for; without any where no place says it.

    With names made of the target, those are all other targets. Else it is the one in the name of a resource, the
    default of the variable, the only other target, or the only other conventional name in the script.
    """
    defaults = {match[1]: match[2] for match in TARGET_DEFAULT.finditer(code)}
    named = {target for branch in branches for target in branch.targets}
    mentioned = {word for word in re.findall(r"[a-z]+", text) if stage_rank(word) is not None} - named
    for branch in branches:
        if not branch.is_rest:
            continue
        others = _other_targets(branch, branches)
        names = _extract_names(branch.body, Trust.SCRIPT)
        words = re.split(r"[-_./]", " ".join(names.get(key, "") for key in ("service", "repository")))
        candidates = [*(word for word in words if stage_rank(word) is not None), defaults.get(branch.variable, "")]
        candidates += [next(iter(group)) for group in (others, mentioned) if len(group) == 1]
        found = next((name for name in candidates if name and name not in branch.targets), "")
        is_template = TARGET_PLACEHOLDER in branch.body
        yield evolve(branch, targets=others if is_template else (found,) if found else ())


def _other_targets(rest: ConditionalBranch, branches: Sequence[ConditionalBranch]) -> tuple[str, ...]:
    """Return the single targets of a script that are none of those beside a branch for the rest."""
    named = [branch for branch in branches if not branch.is_rest]
    names = dict.fromkeys(target for branch in named for target in branch.targets)
    groups = {target for branch in named if _mentioned_targets(branch, names) for target in branch.targets}
    return tuple(name for name in names if name not in groups and name not in rest.targets)


def _ignored_rest(branches: Iterable[ConditionalBranch], path: str, code: str) -> Iterator[Ignored]:
    """Yield what is in branches for the rest of which no place says the environment."""
    for branch in branches:
        for key, value in _extract_names(branch.body, Trust.SCRIPT).items():
            if not branch.targets and key in RESOURCE_KEYS and TARGET_PLACEHOLDER not in value:
                reason = "the environment of this branch is not named; name all of them with --env"
                yield Ignored(what=f"{key} {value}", source=f"{path}:{_line_of(value, ' ', code)}", reason=reason)


def _other_facts(
    facts: Sequence[EnvironmentFact], candidates: Iterable[EnvironmentFact], ignored: Iterable[Ignored]
) -> Iterator[EnvironmentFact]:
    """Yield facts of no branch: services that no branch names and, where no branch names one, the repository."""
    seen = {fact.service for fact in facts} | {each.what.removeprefix("service ") for each in ignored}
    has_repository = any(fact.repository for fact in facts)
    for fact in candidates:
        is_new = fact.service not in seen and TARGET_PLACEHOLDER not in fact.service
        service, repository = fact.service if is_new else "", "" if has_repository else fact.repository
        if service or repository:
            seen.add(fact.service)
            yield evolve(fact, service=service, repository=repository)


def _substitute(body: str, variables: Mapping[str, str], targets: set[str]) -> str:
    """Return code with known variables replaced by values, the target by a placeholder, and a loop unrolled."""

    def value(match: re.Match[str]) -> str:
        if match[1] in targets:
            return TARGET_PLACEHOLDER
        return variables.get(match[1], match[0])

    text = VARIABLE_REFERENCE.sub(value, body)
    loop = FOR_LOOP.search(text)
    if not loop or "$" in loop[2]:
        return text
    head, body, reference = text[: loop.end()], text[loop.end() :], rf"\$\{{?{loop[1]}\b\}}?"
    return head + "\n".join(re.sub(reference, name, body) for name in _strip_quotes(loop[2]).split())


def _facts_from_branches(code: str, branches: Sequence[ConditionalBranch], path: str) -> Iterator[EnvironmentFact]:
    """Yield facts with the names in the branch of each target, then facts with the names common to all targets."""
    common_code = _substitute(CASE_STATEMENT.sub("", code), {}, {"1", *TARGET_ASSIGNMENT.findall(code)})
    targets = dict.fromkeys(target for branch in branches for target in branch.targets)
    single = [branch for branch in branches if len(_mentioned_targets(branch, targets)) < 2]
    pairs = [(target, each.body) for each in single for target in each.targets]
    own = [(target, body, trust) for target, body in pairs for trust in (Trust.SCRIPT, Trust.WORD)]
    common = [(target, common_code, trust) for target, _ in pairs for trust in (Trust.SCRIPT, Trust.WORD)]
    used = {target for target, body, trust in own if _extract_names(body, trust).keys() & RESOURCE_KEYS}
    used |= {target for target, code, trust in common if _extract_names(code, trust, templates_only=True)}
    for code_parts, templates_only in ((own, False), (common, True)):
        for target, body, trust in code_parts:
            names = _extract_names(body, trust, templates_only=templates_only)
            if target in used and names:
                values = {key: value.replace(TARGET_PLACEHOLDER, target) for key, value in names.items()}
                # A word in the branch of one target is that target's, as in `prod) echo legacy-app ;;`.
                certainty = trust if templates_only else Trust.SCRIPT
                yield EnvironmentFact.of(values, environment=target, source=path, trust=certainty)


def _extract_names(text: str, trust: Trust, *, templates_only: bool = False) -> dict[str, str]:
    """Return names of resources in a text, by key.

    Args:
        text: shell code.
        trust: `SCRIPT` for assignments, addresses of registries and ARNs, `WORD` for words like `web-service`.
        templates_only: whether to leave out names without the placeholder of the target.
    """
    if trust is Trust.WORD:
        pairs = [(_classify_word(word), word) for word in WORD.findall(text)]
    else:
        pairs = [(_classify_variable(name), value) for name, value in ASSIGNMENT.findall(text)]
        pairs += [("repository", value) for value in REGISTRY_ADDRESS.findall(text)]
        pairs += [("service", value) for value in SERVICE_ARN.findall(text)]
    names: dict[str, str] = {}
    for key, value in pairs:
        resource_name = _extract_name(key, value) if key else ""
        is_wanted = TARGET_PLACEHOLDER in resource_name or not templates_only
        is_name = key == "url" or LITERAL_NAME.fullmatch(resource_name.replace(TARGET_PLACEHOLDER, ""))
        if is_wanted and is_name and "$" not in resource_name and resource_name not in {"", TARGET_PLACEHOLDER}:
            names.setdefault(key, resource_name)
    return names


def _classify_word(word: str) -> str:
    """Return the key that a word's ending suggests, as in `web-service`, or an empty string."""
    if word.startswith(("http://", "https://")) or "/" in word:
        return ""
    name, _, ending = word.rpartition("-")
    return {"app": "repository", "repo": "repository", "service": "service"}.get(ending, "") if name else ""


def _mentioned_targets(branch: ConditionalBranch, names: Iterable[str]) -> tuple[str, ...]:
    """Return the other targets that a branch mentions, alone or at the beginning of another name."""
    other_names = (name for name in names if name not in branch.targets)
    return tuple(name for name in other_names if re.search(rf"(?<![\w-]){re.escape(name)}(?!\w)", branch.body))


def _find_groups(branches: Sequence[ConditionalBranch], environments: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the environments of each target that is a group: one that means several environments, but not all."""
    groups: dict[str, tuple[str, ...]] = {}
    for branch in branches:
        members = _mentioned_targets(branch, environments)
        if 1 < len(members) < len(environments):
            groups |= dict.fromkeys((target for target in branch.targets if target not in environments), members)
    return groups
