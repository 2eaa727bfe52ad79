"""Code that makes an app answer `GET /version`, for common web frameworks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

REQUIREMENT_LINE = re.compile(r"""(?im)^[\s"'\-]*(flask|fastapi|django)(?:\[[\w,\s-]*\])?\s*(?:[=<>~!;"',].*)?$""")
DEPENDENCY_FILES = ("requirements.txt", "requirements.in", "pyproject.toml", "Pipfile", "setup.cfg", "setup.py")
QUOTED_REQUIREMENT = re.compile(
    r"""["'](flask|fastapi|django)(?:\[[\w,\s-]*\])?\s*(?:[=<>~!;][^"']*)?["']""", re.IGNORECASE
)
RESPONSE = '{{"version": os.environ.get("{variable}", "dev"), "environment": os.environ.get("ENVIRONMENT", "local")}}'

SNIPPETS: Mapping[str, str] = {
    "Flask": f"""\
import os

@app.get("/version")
def version():
    return {RESPONSE}
""",
    "FastAPI": f"""\
import os

@app.get("/version")
def version() -> dict[str, str]:
    return {RESPONSE}
""",
    "Django": f"""\
# urls.py
import os
from django.http import JsonResponse
from django.urls import path

def version(request):
    return JsonResponse({RESPONSE})

urlpatterns += [path("version", version)]
""",
    "Express": """\
app.get("/version", (request, response) => {{
  response.json({{version: process.env.{variable} ?? "dev", environment: process.env.ENVIRONMENT ?? "local"}});
}});
""",
}


def detect_framework(texts: Mapping[str, str]) -> str:
    """Return the name of the framework on which an app depends according to its files, or an empty string."""
    for path, text in texts.items():
        name = path.rpartition("/")[2]
        if name == "package.json" and _depends_on_express(text):
            return "Express"
        if name in DEPENDENCY_FILES and (match := REQUIREMENT_LINE.search(text) or QUOTED_REQUIREMENT.search(text)):
            return {"flask": "Flask", "fastapi": "FastAPI", "django": "Django"}[match[1].lower()]
    return ""


def _depends_on_express(text: str) -> bool:
    try:
        package = json.loads(text)
    except ValueError:
        return False
    dependencies = package.get("dependencies") if isinstance(package, dict) else None
    return isinstance(dependencies, dict) and "express" in dependencies


def version_endpoint_snippet(framework_name: str, *, variable: str) -> str:
    """Return the code for a framework of `detect_framework`; the version is read from an environment variable."""
    return SNIPPETS[framework_name].format(variable=variable)
