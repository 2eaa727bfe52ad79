"""Renders `steps.md`: every public step, from its class."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import attrs

from docs.generating.pages.markdown import code, fence, page, table
from kaizen_tasks.flows import catalogue, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

INTRODUCTION = """\
Flows of your own are made of these steps, which are those of the built-in flows:
[compose a flow of your own](../how-to/own-flow.md) shows how. Names and fields are kept until 1.0, or work under their
old names with a warning.

```python
from kaizen_tasks import flow, namespace
from kaizen_tasks.flows import catalogue, steps
```

All fields are keyword arguments. A step is a frozen value with a `label` and two methods:

| Method | Does |
| --- | --- |
| `decide(release, tools)` | looks, changes nothing, and returns `Done`, `Act` or `Refuse` |
| `act(release, tools)` | does the work, and returns the release with what it has learnt, such as the digest |

`tools` has the ports: `settings`, `scm`, `builder`, `registry`, `platform`, `prober`, `ledger`, `holds`, `secrets`,
`clock` and `reporter`.
"""
FLOWS = """\
## Flows

The built-in flows are functions that return steps, to be put into flows of your own: `*catalogue.promotion(…)`.
"""
ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)
PUBLIC_FLOWS = (
    catalogue.promotion,
    catalogue.deployment,
    catalogue.copy_deploy_verify,
    catalogue.before_deploy,
    catalogue.verification_steps,
    catalogue.redeploy_previous,
    catalogue.rollback,
)


def render() -> str:
    """Return the page."""
    classes = [getattr(steps, name) for name in sorted(steps.__all__)]
    flows = ((code(_call(flow)), _first_sentence(flow)) for flow in PUBLIC_FLOWS)
    return page("Steps", INTRODUCTION, *map(_section, classes), FLOWS, table(("Flow", "Returns"), flows))


def _section(step: type[Any]) -> str:
    text, _, _ = (inspect.getdoc(step) or "").partition("\n\nAttributes:")
    rows = [*_fields(step)]
    fields = table(("Field", "Default", "Meaning"), rows) if rows else ""
    parts = (f"## `{step.__name__}`", text, fence("python", f"steps.{step.__name__}({_arguments(step)})"), fields)
    return "\n\n".join(part for part in parts if part)


def _arguments(step: type[Any]) -> str:
    return ", ".join(f"{name}=..." for name, field in _attributes(step).items() if field.default is attrs.NOTHING)


def _fields(step: type[Any]) -> Iterator[tuple[str, str, str]]:
    meanings = {
        name: " ".join(text.split())
        for parent in reversed(step.__mro__)
        for name, text in ATTRIBUTE.findall(inspect.cleandoc(parent.__doc__ or "").partition("Attributes:")[2])
    }
    for name, field in _attributes(step).items():
        if name not in meanings:
            raise ValueError(f"{step.__qualname__}.{name} is not described under Attributes")
        yield code(name), "" if field.default is attrs.NOTHING else code(repr(field.default)), meanings[name]


def _attributes(step: type[Any]) -> dict[str, Any]:
    return {field.name: field for field in attrs.fields(step) if field.init and not field.name.startswith("_")}


def _call(flow: Any) -> str:
    parameters = inspect.signature(flow).parameters.values()
    required = (
        name if kind is not inspect.Parameter.KEYWORD_ONLY else f"{name}=..."
        for name, kind, default in ((each.name, each.kind, each.default) for each in parameters)
        if default is inspect.Parameter.empty
    )
    return f"catalogue.{flow.__name__}({', '.join(required)})"


def _first_sentence(flow: Any) -> str:
    sentence = " ".join((inspect.getdoc(flow) or "").partition("\n\n")[0].split())
    return sentence.removeprefix("Return ").partition("; see")[0].rstrip(".") + "."
