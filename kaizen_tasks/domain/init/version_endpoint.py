"""Adds `GET /version` to the source file that creates a web app, for Flask, FastAPI and Express."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from kaizen_tasks.domain.init.detect import dockerfile
from kaizen_tasks.domain.init.detect.endpoint import SNIPPETS
from kaizen_tasks.domain.text.listing import list_names

PYTHON_FRAMEWORKS = {"Flask": "Flask", "FastAPI": "FastAPI"}
"""The framework of each class of which an app is an instance."""

EXPRESS_APP = re.compile(
    r"(?m)^(?:export\s+)?(?:const|let|var)\s+(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:module\.exports\s*=\s*)?"
    r"""(?:express|require\(\s*["'`]express["'`]\s*\))\(\)[^\n]*(?<![,\s])\s*$"""
)
HANDLER_NAMES = ("version", "get_version", "get_app_version")


def add_version_endpoint(sources: Mapping[str, str], variable: str) -> tuple[str, str] | None:
    """Return path and new text of the file that creates the app; None when none does, or more than one.

    Args:
        sources: texts of source files, by path.
        variable: the environment variable with the version.
    """
    changed = ((path, _with_endpoint(path, text, variable)) for path, text in sources.items())
    found = [(path, text) for path, text in changed if text]
    return found[0] if len(found) == 1 else None


def explain_missing_place(sources: Mapping[str, str]) -> str:
    """Return why none of the sources that create an app gets the endpoint."""
    places = [path for path, text in sources.items() if _with_endpoint(path, text, "APP_VERSION")]
    if len(places) > 1:
        return f"{list_names(places)} create an app each"
    if sources:
        return f"{list_names(sorted(sources))} has no statement `app = …` by itself that creates the only app"
    return "no source with an app of Flask, FastAPI or Express was found"


def _with_endpoint(path: str, text: str, variable: str) -> str:
    """Return the text with the endpoint, or an empty text if the file creates no app, or several."""
    if path.endswith(".py"):
        return _with_python_endpoint(text, variable)
    apps = list(EXPRESS_APP.finditer(text))
    if len(apps) != 1:
        return ""
    lines = _snippet("Express", variable, apps[0][1])
    return _insert(text.split("\n"), text.count("\n", 0, apps[0].end()) + 1, ["", *lines])


def _with_python_endpoint(text: str, variable: str) -> str:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return ""
    apps = list(_python_apps(tree))
    if len(apps) != 1:
        return ""
    statement, name, framework = apps[0]
    taken = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    taken |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    handler = next((each for each in HANDLER_NAMES if each not in taken), "")
    if not handler:
        return ""
    _, _, *body = _snippet(framework, variable, name)  # without the import
    code = [line.replace("def version(", f"def {handler}(") for line in body]
    margin = " " * statement.col_offset
    blank = [""] if margin else ["", ""]
    lines = [*blank, *(f"{margin}{line}" if line else "" for line in code)]
    end = statement.end_lineno or statement.lineno
    all_lines = text.split("\n")
    has_code_below = all_lines[end : end + 1] not in ([], [""])
    changed = _insert(all_lines, end, [*lines, *(blank if has_code_below else ())])
    return changed if _imports_os(tree) else _with_import(changed, tree)


def _python_apps(tree: ast.Module) -> Iterator[tuple[ast.stmt, str, str]]:
    """Yield each statement that creates an app, with the app's name and its framework."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value:
            target, value = node.target, node.value
        else:
            continue
        if isinstance(target, ast.Name) and isinstance(value, ast.Call):
            callee = getattr(value.func, "id", getattr(value.func, "attr", ""))
            if callee in PYTHON_FRAMEWORKS:
                yield node, target.id, PYTHON_FRAMEWORKS[callee]


def _imports_os(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.Import) and any(each.name == "os" for each in node.names) for node in tree.body)


def _with_import(text: str, tree: ast.Module) -> str:
    """Return the text with `import os` before its first import that is no `from __future__`."""
    imports = (node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))
    first = next((node for node in imports if getattr(node, "module", "") != "__future__"), None)
    return _insert(text.split("\n"), first.lineno - 1 if first else 0, ["import os"])


def _snippet(framework: str, variable: str, app: str) -> list[str]:
    text = SNIPPETS[framework].format(variable=variable).rstrip("\n")
    return re.sub(r"\bapp\.get\(", f"{app}.{'route' if framework == 'Flask' else 'get'}(", text).split("\n")


def _insert(lines: list[str], position: int, new: list[str]) -> str:
    return "\n".join((*lines[:position], *new, *lines[position:]))


def add_version_argument(text: str, argument: str, line: int | None) -> str:
    """Return a Dockerfile with a stage that takes the version as a build argument, and keeps it in a variable.

    Args:
        text: the Dockerfile.
        argument: the build argument.
        line: the line above which the stage takes it; None for the end.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    lines, snippet = text.rstrip("\r\n").split(end), dockerfile.version_snippet(argument)
    above, below = (lines, []) if line is None else (lines[: line - 1], lines[line - 1 :])
    gap = [] if above[-1:] == [""] else [""]
    return end.join((*above, *gap, *snippet, *(["", *below] if below else ()), ""))
