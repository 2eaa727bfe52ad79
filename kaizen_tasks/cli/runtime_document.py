"""The JSON documents of runtime configurations."""

from __future__ import annotations

from collections.abc import Iterable

from kaizen_tasks.cli.json_output import Document
from kaizen_tasks.config.settings import Settings
from kaizen_tasks.domain.runtime_config import RuntimeConfigView, compare_documents


def runtime_document(settings: Settings, views: Iterable[RuntimeConfigView]) -> Document:
    """Return the document of `runtime.show --json`; a value that is a secret is null."""
    return {
        "app": settings.app,
        "environments": {view.environment.name: _runtime_config_document(view, settings) for view in views},
    }


def _runtime_config_document(view: RuntimeConfigView, settings: Settings) -> Document:
    written_at = view.written_at.isoformat()
    return {
        "secret": view.environment.secret,
        "version": view.version_id,
        "written": written_at,
        "keys": {
            name: {"value": _visible_value(view, name, settings), "written": written_at if view.is_new(name) else None}
            for name in view.document.names
        },
    }


def _visible_value(view: RuntimeConfigView, name: str, settings: Settings) -> str | None:
    return view.document.value(name) if name in settings.runtime.visible else None


def runtime_diff_document(
    settings: Settings, first_view: RuntimeConfigView, second_view: RuntimeConfigView
) -> Document:
    """Return the document of `runtime.diff --json`; a value that is a secret is null."""
    is_same_by_name = compare_documents(first_view.document, second_view.document, settings.runtime)
    return {
        "app": settings.app,
        "compared": [first_view.environment.name, second_view.environment.name],
        "keys": {
            name: {
                "same": is_same,
                "visible": name in settings.runtime.visible,
                "values": [_visible_value(first_view, name, settings), _visible_value(second_view, name, settings)],
            }
            for name, is_same in is_same_by_name.items()
        },
    }
