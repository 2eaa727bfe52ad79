"""How the health of a service's tasks is checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kaizen_tasks.localcloud.ecs.containers import DEFAULT_PORT
from kaizen_tasks.localcloud.instances.health import HealthCheck

if TYPE_CHECKING:
    from kaizen_tasks.localcloud.ecs.services import ServiceRevision
    from kaizen_tasks.localcloud.server.http_message import JsonObject

# Scaled down from the load balancer's of Express Mode: 30 s between checks, and 300 s of grace.
_EXPRESS_GRACE_SECONDS = 120.0
_INTERVAL_SECONDS = 5.0
_TIMEOUT_SECONDS = 2.0
_UNHEALTHY_THRESHOLD = 5
_ERROR_SECONDS = 5.0
_WORKER_CHECKS = 20  # of an application that listens nowhere: it has to live for a second
_URL_PATH = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?(/[^\s'\"|;&)]*)?")


def health_check(revision: ServiceRevision, definition: JsonObject) -> HealthCheck:
    """Return the health check of a revision's tasks.

    It is the one of Express Mode or of the gateway, by HTTP. A health check of the container counts as one by HTTP if
    its command asks for a URL; other commands are not run. Without any of them, the task has to listen on the port of
    its port mapping, or to live for a second if it has none.

    Args:
        revision: the revision.
        definition: the members of its task definition.
    """
    container = min(definition["containerDefinitions"], key=lambda known: not known.get("portMappings"))
    mappings = container.get("portMappings") or []
    port = int(mappings[0]["containerPort"]) if mappings else DEFAULT_PORT
    path = _path(revision, container)
    grace = float(revision.settings.get("healthCheckGracePeriodSeconds", 0))
    return HealthCheck(
        protocol="HTTP" if path else "TCP" if mappings else "NONE",
        path=path or "/",
        interval=_INTERVAL_SECONDS,
        timeout=_TIMEOUT_SECONDS,
        healthy_threshold=1 if mappings or path else _WORKER_CHECKS,
        unhealthy_threshold=_UNHEALTHY_THRESHOLD,
        port=port,
        grace=grace if revision.express is None else _EXPRESS_GRACE_SECONDS,
        error_timeout=max(_ERROR_SECONDS, grace),
    )


def _path(revision: ServiceRevision, container: JsonObject) -> str:
    """Return the path that is asked for; empty for a check without HTTP."""
    if revision.express is not None:
        return str(revision.express["healthCheckPath"])
    for connector in revision.settings.get("gatewayConnectors", []):
        if path := connector.get("healthCheck", {}).get("healthCheckPath"):
            return str(path)
    match = _URL_PATH.search(" ".join(container.get("healthCheck", {}).get("command", [])))
    return (match[1] or "/") if match else ""
