"""The text of a new `tasks.py`, and the lines that an existing one lacks, whose own tasks must stay available."""

from __future__ import annotations

import ast
import shlex

TASKS_FILE_NAME = "tasks.py"
TASKS_PATHS = (TASKS_FILE_NAME, "tasks/__init__.py")
"""Where Invoke looks for tasks; a new file of the first name would hide those of the second."""

NEW_TASKS_FILE = '''\
"""The tasks of this app: `inv --list` shows them."""

from kaizen_tasks import namespace

__all__ = ["namespace"]
'''
MERGE_SNIPPET = """\
from kaizen_tasks import namespace as kaizen

kaizen.add_collection({name}, name="own")  # `inv test` becomes `inv own.test`
{name} = kaizen"""


def missing_lines(content: bytes) -> str:
    """Return the lines to add at the end of an existing `tasks.py`; empty when it has our tasks already.

    Raises:
        SyntaxError: the content is not Python.
    """
    tree = ast.parse(content)
    if any(_imports_kaizen_tasks(node) for node in ast.walk(tree)):
        return ""
    assignments = (node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign))
    names = (node for assignment in assignments for node in ast.walk(assignment) if isinstance(node, ast.Name))
    assigned_names = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    for name in ("ns", "namespace"):  # the order in which Invoke looks for a collection
        if name in assigned_names:
            return MERGE_SNIPPET.format(name=name)
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    additions = [f"namespace.add_task({node.name})" for node in functions if any(map(_is_task, node.decorator_list))]
    return "\n".join(("from kaizen_tasks import namespace", "", *additions)).rstrip()


def append_command(path: str, lines: str) -> str:
    """Return the command that adds lines at the end of a file."""
    text = f"\n{lines}\n".replace("\n", "\\n")
    return f"printf {shlex.quote(text)} >> {path}"


def _imports_kaizen_tasks(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").partition(".")[0] == "kaizen_tasks"
    return isinstance(node, ast.Import) and any(alias.name.partition(".")[0] == "kaizen_tasks" for alias in node.names)


def _is_task(decorator: ast.expr) -> bool:
    callee = decorator.func if isinstance(decorator, ast.Call) else decorator
    return getattr(callee, "id", getattr(callee, "attr", "")) == "task"
