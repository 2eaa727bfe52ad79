"""Finds the environments with which others call a script or a Makefile: `./deploy.sh prod`, `make deploy ENV=prod`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from kaizen_tasks.domain.init import evidence
from kaizen_tasks.domain.init.detect.app_folder import TOP, AppFolder
from kaizen_tasks.domain.init.detect.shell import scripts as shell_scripts
from kaizen_tasks.domain.init.detect.shell.branches import TARGET_NAME
from kaizen_tasks.domain.init.detect.shell.commands import DEPLOY_COMMANDS
from kaizen_tasks.domain.init.detect.shell.scripts import LINE_CONTINUATION, TARGET_DEFAULT, TARGET_VARIABLE
from kaizen_tasks.domain.init.naming import ENV_PLACEHOLDER

if TYPE_CHECKING:
    from kaizen_tasks.domain.init.evidence import EnvironmentFact, Facts

MAKEFILE_PATH = re.compile(r"(?:.*/)?(?:GNU)?[Mm]akefile")
RULE = re.compile(r"^([^\s#:=][^#:=]*?)[ \t]*::?(?!=)[ \t]*([^\n]*)$")
ASSIGNMENT = re.compile(r"(\w+)[ \t]*[:?]?:?=[ \t]*(\S*)$")
"""The value of a variable for some targets: `deploy-prod: ENV = prod`."""

MAKE_CALL = re.compile(r"((?:\b\w+=\S+[ \t]+)*)(?:\$[({]MAKE[)}]|(?<![\w./-])g?make(?![\w./-]))([^\n;&|]*)")
IMAGE_PUSH = re.compile(r"\b(?:docker|podman|buildah|nerdctl)\b[^\n]*\bpush\b|--push\b")
STEM = "*"
"""The automatic variable of a rule with `%`, as in `deploy-%`."""

STEM_REFERENCES = frozenset({"$*", "$(*)", "${*}"})
LOCAL_NAMES = frozenset({"local", "localhost"})
"""Values that stand for this machine, to which nothing is released."""


@frozen(kw_only=True)
class _Rule:
    """A rule of a Makefile.

    Attributes:
        targets: what it makes.
        prerequisites: what is made before; empty for the value of a variable.
        variable: a variable that has another value for these targets, or empty.
        value: its value.
        recipe: the commands.
    """

    targets: tuple[str, ...]
    prerequisites: tuple[str, ...] = ()
    variable: str = ""
    value: str = ""
    recipe: list[str]


@frozen(kw_only=True)
class _Call:
    """A call of make: what is to be made, and the values of variables."""

    goals: tuple[str, ...]
    values: tuple[tuple[str, str], ...]


def facts_from_script(path: str, text: str, callers: Mapping[str, str], app: AppFolder = TOP) -> Iterator[Facts]:
    """Yield the facts in a script; where others give it its environment, those of each.

    Args:
        path: the script.
        text: its text.
        callers: scripts and workflows that may call it, by path.
        app: the app's folder.
    """
    others = [_code(other) for place, other in callers.items() if place != path]
    if not MAKEFILE_PATH.fullmatch(path):
        facts = shell_scripts.facts_from_script(path, text, app)
        yield _with_arguments(facts, posixpath.normpath(posixpath.join(app.path, path)), text, others)
        return
    by_environment = _texts_by_environment(text, others)
    for environment, its_text in by_environment.items():
        facts = shell_scripts.facts_from_script(path, its_text, app)
        named = (evolve(fact, environment=fact.environment or environment) for fact in facts.environment_facts)
        yield evolve(facts, environment_facts=tuple(named))
    if not by_environment:
        yield shell_scripts.facts_from_script(path, text, app)


def _texts_by_environment(text: str, others: Sequence[str]) -> Mapping[str, str]:
    """Return a Makefile as each environment runs it; empty where nothing gives its variable a value but itself."""
    code = _code(text)
    rules = tuple(_rules(code))
    deploying = _deploying_targets(rules)
    given = [
        (name, value)
        for call in _calls((code, *others))
        if deploying.intersection(call.goals)
        for name, value in call.values
    ]
    stems = tuple(_stems(rules, deploying, others))
    given += [(rule.variable, rule.value) for rule in rules if rule.variable and deploying.intersection(rule.targets)]
    given += [(name, stem) for name, value in given if value in STEM_REFERENCES for stem in stems]
    given += [(STEM, stem) for stem in stems]
    for variable in dict.fromkeys(name for name, value in given if re.fullmatch(TARGET_NAME, value)):
        if re.search(_reference(variable), code):
            default = re.search(rf"(?m)^{re.escape(variable)}[ \t]*[:?]?:?=[ \t]*(\S+)[ \t]*$", code)
            values = ([default[1]] if default else []) + [value for name, value in given if name == variable]
            names = [name for name in dict.fromkeys(values) if re.fullmatch(TARGET_NAME, name)]
            return {name: _with_value(text, variable, name) for name in names if name not in LOCAL_NAMES}
    return {}


def _with_arguments(facts: Facts, path: str, text: str, others: Iterable[str]) -> Facts:
    """Return the facts in a script for each environment that is its argument or the default of that.

    Args:
        facts: the facts.
        path: the script's path from the top of the repository.
        text: its text.
        others: what may call it.
    """
    templates = [fact for fact in facts.environment_facts if not fact.environment]
    if len(templates) < len(facts.environment_facts) or not any(map(_is_template, templates)):
        return facts
    folder, _, file = path.rpartition("/")
    call = re.compile(
        rf"""(?<![\w./-])([\w./-]*/)?{re.escape(file)}["']?[ \t]+["']?({TARGET_NAME})["']?(?![\w./$={{-])"""
    )
    given = [name for other in others for place, name in call.findall(other) if _is_in(folder, place)]
    defaults = [name for _, name in TARGET_DEFAULT.findall(_code(text))] if given else []
    names = [name for name in dict.fromkeys((*defaults, *given)) if name not in LOCAL_NAMES]
    filled = (_fill(fact, name) for name in names for fact in templates)
    return evolve(facts, environment_facts=tuple(filled)) if names else facts


def _is_in(folder: str, place: str) -> bool:
    """Return whether a folder can be the one that a call names, as far as it does: `./scripts/`, or nothing."""
    named = [part for part in place.split("/") if part not in {"", ".", ".."}]
    parts = folder.split("/")
    size = min(len(parts), len(named))
    return not size or parts[-size:] == named[-size:]


def _is_template(fact: EnvironmentFact) -> bool:
    return any(ENV_PLACEHOLDER in getattr(fact, key) for key in evidence.FACT_KEYS)


def _fill(fact: EnvironmentFact, name: str) -> EnvironmentFact:
    values = {key: getattr(fact, key).replace(ENV_PLACEHOLDER, name) for key in fact.known_keys}
    return evolve(fact, environment=name, **values)


def _stems(rules: Iterable[_Rule], deploying: Collection[str], others: Sequence[str]) -> Iterator[str]:
    """Yield what takes the place of `%` in the rules that deploy."""
    goals = [goal for call in _calls(others) for goal in call.goals]
    goals += [goal for rule in rules for goal in (*rule.targets, *rule.prerequisites)]
    for target in (target for rule in rules for target in rule.targets if "%" in target and target in deploying):
        pattern = re.compile(re.escape(target).replace("%", f"({TARGET_NAME})", 1))
        yield from (match[1] for match in map(pattern.fullmatch, goals) if match)


def _code(text: str) -> str:
    return LINE_CONTINUATION.sub(" ", evidence.strip_comments(text))


def _rules(code: str) -> Iterator[_Rule]:
    recipe: list[str] = []
    for line in code.split("\n"):
        if line.startswith("\t"):
            recipe.append(line)
        elif rule := RULE.match(line):
            targets, (rest, _, inline) = tuple(rule[1].split()), rule[2].partition(";")
            assignment = ASSIGNMENT.search(rest) if "=" in rest else None
            recipe = [inline] if inline else []
            if assignment and TARGET_VARIABLE.fullmatch(assignment[1]):
                yield _Rule(targets=targets, variable=assignment[1], value=assignment[2], recipe=recipe)
            elif not assignment:
                yield _Rule(targets=targets, prerequisites=tuple(rest.split()), recipe=recipe)


def _deploying_targets(rules: Iterable[_Rule]) -> set[str]:
    """Return the targets that push an image or deploy, by their own recipe or by those of other targets."""
    needs: dict[str, set[str]] = {}
    found: set[str] = set()
    for rule in rules:
        recipe = "\n".join(rule.recipe)
        called = {goal for call in _calls((recipe,)) for goal in call.goals}
        for target in rule.targets:
            needs.setdefault(target, set()).update(rule.prerequisites, called)
        if any(pattern.search(recipe) for pattern in (IMAGE_PUSH, *DEPLOY_COMMANDS.values())):
            found.update(rule.targets)
    while more := {target for target, others in needs.items() if others & found} - found:
        found |= more
    return found


def _calls(codes: Iterable[str]) -> Iterator[_Call]:
    """Yield the calls of make that give a variable a value, or make a target."""
    for code in codes:
        for before, after in MAKE_CALL.findall(code):
            words = [word.strip("\"'") for word in (before + after).split()]
            pairs = [word.partition("=") for word in words if not word.startswith("-")]
            yield _Call(
                goals=tuple(word for word, equals, _ in pairs if not equals),
                values=tuple(
                    (name, value.strip("\"'"))
                    for name, equals, value in pairs
                    if equals and TARGET_VARIABLE.fullmatch(name)
                ),
            )


def _with_value(text: str, variable: str, value: str) -> str:
    """Return a Makefile with a value of a variable in each place of it."""
    return re.sub(_reference(variable), value, text)


def _reference(variable: str) -> str:
    return rf"\$[({{]{re.escape(variable)}[)}}]" + (r"|\$\*" if variable == STEM else "")
