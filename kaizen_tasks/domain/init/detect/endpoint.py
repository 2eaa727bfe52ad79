"""The few lines that make an app say its version, for the frameworks that people use most."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DECLARED = re.compile(r"""(?im)^[\s"'\-]*(flask|fastapi|django)(?:\[[\w,\s-]*\])?\s*(?:[=<>~!;"',].*)?$""")
MANIFESTS = ("requirements.txt", "requirements.in", "pyproject.toml", "Pipfile", "setup.cfg", "setup.py")
INLINE = re.compile(r"""["'](flask|fastapi|django)(?:\[[\w,\s-]*\])?\s*(?:[=<>~!;][^"']*)?["']""", re.IGNORECASE)
ANSWER = '{{"version": os.environ.get("{variable}", "dev"), "environment": os.environ.get("ENVIRONMENT", "local")}}'

LINES: Mapping[str, str] = {
    "Flask": f"""\
import os

@app.get("/version")
def version():
    return {ANSWER}
""",
    "FastAPI": f"""\
import os

@app.get("/version")
def version() -> dict[str, str]:
    return {ANSWER}
""",
    "Django": f"""\
# urls.py
import os
from django.http import JsonResponse
from django.urls import path

def version(request):
    return JsonResponse({ANSWER})

urlpatterns += [path("version", version)]
""",
    "Express": """\
app.get("/version", (request, response) => {{
  response.json({{version: process.env.{variable} ?? "dev", environment: process.env.ENVIRONMENT ?? "local"}});
}});
""",
}


def framework(texts: Mapping[str, str]) -> str:
    """Return the framework that an app depends on, or an empty string.

    Args:
        texts: the app's files, by path.
    """
    for path, text in texts.items():
        name = path.rpartition("/")[2]
        if name == "package.json" and _depends_on_express(text):
            return "Express"
        if name in MANIFESTS and (found := DECLARED.search(text) or INLINE.search(text)):
            return {"flask": "Flask", "fastapi": "FastAPI", "django": "Django"}[found[1].lower()]
    return ""


def _depends_on_express(text: str) -> bool:
    try:
        said = json.loads(text)
    except ValueError:
        return False
    needs = said.get("dependencies") if isinstance(said, dict) else None
    return isinstance(needs, dict) and "express" in needs


def lines(name: str, *, variable: str) -> str:
    """Return the lines for a framework.

    Args:
        name: as `framework` returns it.
        variable: where the app finds its version.
    """
    return LINES[name].format(variable=variable)
