"""Finds the environments that a deployment script handles, by regular expressions for usual ways to write scripts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import frozen

from kaizen_tasks.domain.init import evidence
from kaizen_tasks.domain.init.evidence import EnvironmentFact, Facts

IMAGE_TOOLS = re.compile(r"\b(?:apprunner|buildah|docker|ecr|podman)\b")
TARGET_NAME = r"[a-z][a-z0-9_-]*"
COMMENT = re.compile(r"(?m)^[ \t]*#.*$")
LINE_CONTINUATION = re.compile(r"\\\n[ \t]*")
ARRAY_ASSIGNMENT = re.compile(rf"""(?m)^[ \t]*(\w+)\[["']?({TARGET_NAME})["']?\]=(\S+)""")
ASSOCIATIVE_ARRAY = re.compile(r"(?m)^[ \t]*(?:declare|local|typeset)[ \t]+-\w*A\w*[ \t]+(\w+)=\(([^)]*)\)")
ARRAY_ENTRY = re.compile(rf"""\[["']?({TARGET_NAME})["']?\]=(\S+)""")
LITERAL_ASSIGNMENT = re.compile(
    r"""(?m)^[ \t]*(?:readonly[ \t]+|export[ \t]+|declare[ \t]+-\w+[ \t]+)?"""
    r"""(\w+)=(\([^)$]*\)|"[^"$]*"|'[^']*'|[\w./:-]+)[ \t]*(?:\#.*)?$"""
)
CASE_ARM = re.compile(
    rf"""(?m)^[ \t]*\(?((?:["']?{TARGET_NAME}["']?[ \t]*\|[ \t]*)*["']?{TARGET_NAME}["']?)\)(.*?);;""", re.DOTALL
)
CASE_STATEMENT = re.compile(r"\bcase\b.*?\bin\b(.*?)\besac\b", re.DOTALL)
IF_COMPARISON = re.compile(
    rf"""(?:if|elif)[^\n]*?\$\{{?\w+[^\n=]*?={{1,2}}[ \t]*["']?({TARGET_NAME})["']?[^\n]*\n"""
    r"""(.*?)(?=\n[ \t]*(?:elif|else|fi)\b)""",
    re.DOTALL,
)
FOR_LOOP = re.compile(r"\bfor[ \t]+(\w+)[ \t]+in[ \t]+([^;\n]+)")
ASSIGNMENT = re.compile(r"""\b(\w+)=["']?([^"'\s;)]+)""")
VARIABLE_REFERENCE = re.compile(r"\$\{?(\w+)(?:\[@\]|\[\*\]|:-[^}]*)?\}?")
TARGET_ASSIGNMENT = re.compile(r"""(?m)\b(\w+)=["']?\$\{?1\b""")
REGISTRY_ADDRESS = re.compile(r"\.amazonaws\.com/([\w./-]+)")
SERVICE_ARN = re.compile(r":service/([\w-]+)/")
WORD = re.compile(r"[\w./:{}-]+")
TARGET_PLACEHOLDER = "{env}"  # replaces the script's target in a text


@frozen(kw_only=True)
class ConditionalBranch:
    """The lines that a script runs for some of its targets."""

    targets: tuple[str, ...]
    body: str


def facts_from_script(path: str, text: str) -> Facts:
    """Return the facts in a script; there are none in a script that handles no images."""
    if not IMAGE_TOOLS.search(text):
        return Facts()
    code = LINE_CONTINUATION.sub(" ", COMMENT.sub("", text))
    variables = {name: _strip_quotes(value) for name, value in LITERAL_ASSIGNMENT.findall(code)}
    branches = tuple(_find_branches(code, variables))
    environment_facts = (*_facts_from_arrays(code, path), *_facts_from_branches(code, branches, path))
    merged_facts = tuple(evidence.merge_by_environment(environment_facts).values())
    if not merged_facts:
        return Facts()
    return Facts(
        environment_facts=merged_facts,
        groups=_find_groups(branches, [fact.environment for fact in merged_facts]),
        regions=evidence.find_regions(text),
        accounts=evidence.find_account_ids(text),
    )


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
            yield EnvironmentFact(environment=environment, source=path, **{key: resource_name})


def _classify_variable(name: str) -> str:
    """Return the key (repository, service or url) that a variable's name suggests, or an empty string."""
    upper = name.upper()
    if "SERVICE" in upper or upper.endswith("ARN"):
        return "service"
    if any(part in upper for part in ("URL", "DOMAIN", "HOST")):
        return "url"
    registry = "REGISTRY" in upper or "LIST" in upper
    return "repository" if any(part in upper for part in ("REPO", "ECR", "IMAGE")) and not registry else ""


def _extract_name(key: str, value: str) -> str:
    """Return a key's value in a text: a repository without registry and tag, an ARN's service, a URL with https."""
    if key == "service":
        match = SERVICE_ARN.search(value)
        return match[1] if match else "" if value.startswith("arn:") else value
    if key == "url":
        return value if value.startswith("http") else f"https://{value}"
    address_match = REGISTRY_ADDRESS.search(value)
    name = address_match[1] if address_match else value
    return re.sub(r":[\w.{}-]*$", "", name)


def _find_branches(code: str, variables: Mapping[str, str]) -> Iterator[ConditionalBranch]:
    """Yield the arms of every `case` and the bodies of every `if` that compares names; replace known variables."""
    targets = {"1", *TARGET_ASSIGNMENT.findall(code)}
    for patterns, body in (arm for case in CASE_STATEMENT.findall(code) for arm in CASE_ARM.findall(case)):
        names = tuple(re.findall(TARGET_NAME, patterns))
        yield ConditionalBranch(targets=names, body=_substitute(body, variables, targets))
    for name, body in IF_COMPARISON.findall(code):
        yield ConditionalBranch(targets=(name,), body=_substitute(body, variables, targets))


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
    common_names = _extract_names(common_code, templates_only=True)
    targets = dict.fromkeys(target for branch in branches for target in branch.targets)
    single = [branch for branch in branches if len(_mentioned_targets(branch, targets)) < 2]
    own = [(target, _extract_names(each.body, templates_only=False)) for each in single for target in each.targets]
    names_by_target = [*own, *((target, common_names) for target, _ in own)]
    for target, names in names_by_target:
        if names.keys() & {"repository", "service"}:
            values = {key: value.replace(TARGET_PLACEHOLDER, target) for key, value in names.items()}
            yield EnvironmentFact(environment=target, source=path, **values)


def _extract_names(text: str, *, templates_only: bool) -> dict[str, str]:
    """Return names of resources in a text, by key: from assignments, registry addresses, words like `web-service`.

    With `templates_only`, names without the placeholder of the target are left out.
    """
    assignments = [(_classify_variable(name), value) for name, value in ASSIGNMENT.findall(text)]
    addresses = [("repository", value) for value in REGISTRY_ADDRESS.findall(text)]
    words = [(_classify_word(word), word) for word in WORD.findall(text)]
    names: dict[str, str] = {}
    for key, value in (*assignments, *addresses, *words):
        resource_name = _extract_name(key, value) if key else ""
        is_wanted = TARGET_PLACEHOLDER in resource_name or not templates_only
        if is_wanted and "$" not in resource_name and resource_name not in {"", TARGET_PLACEHOLDER}:
            names.setdefault(key, resource_name)
    return names


def _classify_word(word: str) -> str:
    """Return the key that a word's ending suggests, as in `web-service`, or an empty string."""
    if word.startswith(("http://", "https://")) or "/" in word:
        return ""
    return {"app": "repository", "repo": "repository", "service": "service"}.get(word.rpartition("-")[2], "")


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
