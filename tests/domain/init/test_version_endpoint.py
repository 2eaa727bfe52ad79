"""Adding `GET /version` to sources, and the version to a Dockerfile."""

from __future__ import annotations

import ast

import pytest

from kaizen_tasks.domain.init.detect.dockerfile import parse_dockerfile
from kaizen_tasks.domain.init.version_endpoint import (
    add_version_argument,
    add_version_endpoint,
    explain_missing_place,
)


def added(text: str, path: str = "app.py") -> str:
    """Return the text with the endpoint; empty when there is no place for it."""
    found = add_version_endpoint({path: text}, "APP_VERSION")
    return found[1] if found else ""


def test_flask_gets_a_route_below_its_app() -> None:
    text = '"""An app."""\n\nfrom flask import Flask\n\napp = Flask(__name__)\n\n\n@app.get("/")\ndef home(): ...\n'
    assert added(text) == (
        '"""An app."""\n\nimport os\nfrom flask import Flask\n\napp = Flask(__name__)\n\n\n@app.route("/version")\n'
        "def version():\n"
        '    return {"version": os.environ.get("APP_VERSION", "dev"),'
        ' "environment": os.environ.get("ENVIRONMENT", "local")}\n\n\n@app.get("/")\ndef home(): ...\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        "import os\nfrom fastapi import FastAPI\n\napi = FastAPI(\n    title='x',\n)\napi.debug = True\n",
        "import fastapi\n\napp: fastapi.FastAPI = fastapi.FastAPI()\n",
        "from flask import Flask\n\n\ndef create_app():\n    app = Flask(__name__)\n    return app\n",
        "from __future__ import annotations\n\nfrom flask import Flask\nversion = 1\napp = Flask('x')",
    ],
)
def test_the_changed_source_is_python_with_one_route_and_the_rest_as_before(text: str) -> None:
    changed = added(text)

    ast.parse(changed)
    assert changed.count('("/version")') == 1
    assert changed.count("import os\n") == 1
    assert {*text.split("\n")} <= {*changed.split("\n")}


def test_a_name_that_is_taken_is_not_used_again() -> None:
    assert "def get_version():" in added("from flask import Flask\nversion = 1\napp = Flask(__name__)\n")


def test_express_gets_a_route_below_its_app() -> None:
    changed = added("const express = require('express');\nconst server = express();\nserver.listen(80);\n", "index.js")

    assert changed.split("\n")[2:4] == ["", 'server.get("/version", (request, response) => {']
    assert changed.endswith("});\nserver.listen(80);\n")


@pytest.mark.parametrize(
    "text",
    [
        "print()\n",
        "a = Flask(1)\nb = Flask(2)\n",
        "app = Flask(\n",
        "version = get_version = get_app_version = 1\napp = Flask(1)\n",
    ],
)
def test_a_source_without_one_place_for_it_is_left_alone(text: str) -> None:
    assert added(text) == ""


def test_two_files_with_an_app_are_left_alone() -> None:
    assert add_version_endpoint(dict.fromkeys(("a.py", "b.py"), "app = Flask(__name__)\n"), "V") is None


@pytest.mark.parametrize(
    "app",
    [
        'const server = require("express")();',
        "export const server: express.Application = express();",
        "const server = module.exports = express();",
    ],
)
def test_express_apps_are_created_in_several_ways(app: str) -> None:
    assert added(f"{app}\nserver.listen(80);\n", "index.js").split("\n")[2].startswith('server.get("/version"')


def test_a_declaration_of_several_lines_is_not_cut_apart() -> None:
    text = "const app = express(),\n  port = 80;\n"

    assert added(text, "index.js") == ""
    assert "index.js has no statement" in explain_missing_place({"index.js": text})


VERSION_LINES = "ARG VERSION=dev\nENV APP_VERSION=$VERSION\n"


@pytest.mark.parametrize(
    ("before", "after", "target"),
    [
        ("FROM a\nRUN x\nCMD y\n", f"FROM a\nRUN x\n\n{VERSION_LINES}\nCMD y\n", ""),
        ("FROM a\n\n# Start\nCMD y", f"FROM a\n\n{VERSION_LINES}\n# Start\nCMD y\n", ""),
        ("FROM a\nENTRYPOINT x\nCMD y", f"FROM a\n\n{VERSION_LINES}\nENTRYPOINT x\nCMD y\n", ""),
        ("FROM a\nCMD y\nCOPY . .\n", f"FROM a\nCMD y\nCOPY . .\n\n{VERSION_LINES}", ""),
        ("FROM a\nCMD y\nFROM b\nRUN x\n", f"FROM a\nCMD y\nFROM b\nRUN x\n\n{VERSION_LINES}", ""),
        ("FROM a AS web\nCMD y\nFROM b\nRUN x\n", f"FROM a AS web\n\n{VERSION_LINES}\nCMD y\nFROM b\nRUN x\n", "web"),
        ("FROM a AS web\nRUN x\nFROM b\n", f"FROM a AS web\nRUN x\n\n{VERSION_LINES}\nFROM b\n", "web"),
        ("FROM a\r\nCMD y\r\n", f"FROM a\n\n{VERSION_LINES}\nCMD y\n".replace("\n", "\r\n"), ""),
    ],
)
def test_the_dockerfile_takes_the_version_below_its_layers_and_above_its_command(
    before: str, after: str, target: str
) -> None:
    line = parse_dockerfile(before, target).version_line
    changed = add_version_argument(before, "VERSION", line)

    assert changed == after
    assert parse_dockerfile(changed, target).version_arg == "VERSION"
