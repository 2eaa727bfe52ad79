"""Ports that stay the same when a local cloud is started again: the names of images contain them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kaizen_tasks.errors import Refused
from kaizen_tasks.localcloud.atomic_write import write_atomically
from kaizen_tasks.localcloud.server.server import HttpServer
from kaizen_tasks.localcloud.state.damaged import load_state

if TYPE_CHECKING:
    from pathlib import Path


def listen(port_file: Path, port: int = 0) -> HttpServer:
    """Listen on the requested port, or the previous one, or any free one.

    Args:
        port_file: has the previous port, and gets the new one.
        port: the requested port; 0 for none.

    Raises:
        Refused: the requested port is in use, or the file is damaged.
    """
    last_port = load_state(port_file, int) if port_file.exists() else 0
    try:
        server = HttpServer(port or last_port)
    except OSError as error:
        if port:
            raise Refused(f"port {port} is in use", hint="choose another --port, or 0 for any") from error
        server = HttpServer(0)
    write_atomically(port_file, str(server.port).encode())
    return server
