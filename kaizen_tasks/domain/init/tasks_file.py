"""`tasks.py`: the two lines, and what an existing one needs instead; nobody's own tasks may disappear."""

from __future__ import annotations

import ast

TASKS_FILE_NAME = "tasks.py"
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
    """Return what has to be added at the end of an existing `tasks.py`; empty when it has our tasks already.

    Raises:
        SyntaxError: it is not Python.
    """
    tree = ast.parse(content)
    if any(_imports_kaizen_tasks(node) for node in ast.walk(tree)):
        return ""
    names = {target.id for node in tree.body for target in _assignment_targets(node)}
    for name in ("ns", "namespace"):  # the order in which Invoke looks
        if name in names:
            return MERGE_SNIPPET.format(name=name)
    task_names = [
        node.name for node in tree.body if isinstance(node, ast.FunctionDef) and any(map(_is_task, node.decorator_list))
    ]
    return "\n".join(
        ("from kaizen_tasks import namespace", "", *(f"namespace.add_task({name})" for name in task_names))
    ).rstrip()


def _imports_kaizen_tasks(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").partition(".")[0] == "kaizen_tasks"
    return isinstance(node, ast.Import) and any(alias.name.partition(".")[0] == "kaizen_tasks" for alias in node.names)


def _assignment_targets(node: ast.stmt) -> list[ast.Name]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target for target in targets if isinstance(target, ast.Name)]


def _is_task(decorator: ast.expr) -> bool:
    callee = decorator.func if isinstance(decorator, ast.Call) else decorator
    return getattr(callee, "id", getattr(callee, "attr", "")) == "task"
