"""Where the configuration stands, and what it says before anybody has checked it.

Everything here runs at start-up, for `inv --list` too: it reads two small files and imports nothing but the
standard library.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

FILE = "kaizen.toml"
TABLE = "tool.kaizen"
MEND = "mend the file there, then type the same command again"
Raw = dict[str, Any]  # TOML as it was written; it becomes Settings in one step, and travels no further


class Source:
    """A configuration file as it was found.

    Attributes:
        root: the app's folder.
        name: what to call the file in messages.
        raw: its content, or nothing when it does not exist or is not TOML.
        fault: why it cannot be read, or empty.
        hint: what to do about that.
    """

    def __init__(self, root: Path, name: str, raw: Raw, fault: str = "", hint: str = "") -> None:
        self.root = root
        self.name = name
        self.raw = raw
        self.fault = fault
        self.hint = hint


def find() -> Source:
    """Find the configuration of the app that the user stands in.

    Invoke puts the folder of `tasks.py` first on `sys.path` before it loads it, so that `inv --search-root`
    works; the `kaizen` program looks from the working directory upwards.
    """
    here = Path.cwd()
    for folder in (Path(sys.path[0] or here), here, *here.parents):
        source = read(folder)
        if source is not None:
            return source
    missing = f"{FILE}: there is none in {here} or above"
    return Source(here, FILE, {}, missing, "in the app's folder, kaizen init writes one from what it finds there")


def read(folder: Path) -> Source | None:
    """Read `kaizen.toml`, or `[tool.kaizen]` in `pyproject.toml`; None when the folder has neither."""
    own = _toml(folder / FILE)
    if own is not None:
        return Source(folder, FILE, *own, hint=MEND)
    project = _toml(folder / "pyproject.toml")
    return None if project is None else _of_project(folder, *project)


def _of_project(folder: Path, project: Raw, fault: str) -> Source | None:
    name, tools = f"pyproject.toml [{TABLE}]", project.get("tool", {})
    if not fault and not (isinstance(tools, dict) and "kaizen" in tools):
        return None
    own = tools.get("kaizen", {})
    if not isinstance(own, dict):
        return Source(folder, name, {}, f"{name}: should be a table", 'begin with [tool.kaizen] and app = "NAME"')
    return Source(folder, name, own, fault, MEND)


def _toml(path: Path) -> tuple[Raw, str] | None:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig")), ""
    except OSError:
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, f"{path.name}: {error}"


def with_defaults(raw: Raw) -> Raw:
    """Lay a configuration over the defaults, so that Invoke's layers find every key they may override.

    A value of the wrong type stays as it is: telling the user is the reader's business. An unknown key is left out:
    Invoke has keys of its own (`run`, `tasks`), and would trip over them before the reader can tell.
    """
    defaults = tomllib.loads((Path(__file__).parent / "defaults.toml").read_text(encoding="utf-8"))
    merged = _merge(defaults, {key: value for key, value in raw.items() if key in defaults})
    environments = merged["environments"]
    if isinstance(environments, dict):
        inherited = dict.fromkeys(("platform", "repository", "service", "url", "secret", "min_age"), "")
        merged["environments"] = {
            name: {**inherited, **said} if isinstance(said, dict) else said for name, said in environments.items()
        }
    return merged


def _merge(below: Raw, above: Raw) -> Raw:
    merged = dict(below)
    for key, value in above.items():
        under = below.get(key)
        merged[key] = _merge(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged
