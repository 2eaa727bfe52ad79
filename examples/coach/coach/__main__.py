"""`python -m coach`: listen, say where, serve."""

import os
import sys

from coach.server import Server
from coach.settings import read_settings
from coach.site import open_site


def main() -> str | None:
    """Serve the site until told to stop, or return why it could not even start."""
    try:
        settings = read_settings(os.environ)
        server = Server(open_site(settings))
    except (OSError, ValueError) as error:
        return f"coach: {error}"
    server.stop_when_told()  # before anybody can know that there is something to stop
    host, port = server.server_address[:2]
    where = f"http://{host!s}:{port}"
    print(f"coach {settings.version} ({settings.environment}) on {where}", flush=True)  # noqa: T201 - the log
    server.serve()
    return None


if __name__ == "__main__":
    sys.exit(main())
