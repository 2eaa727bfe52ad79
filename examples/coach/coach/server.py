"""A site behind a socket: one thread per request, and an orderly stop."""

import signal
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Thread

from coach.site import POLICY, Site


class Server(ThreadingTCPServer):
    """Serve a site.

    Not an HTTPServer: that one looks its own name up in the DNS before it listens.
    """

    allow_reuse_address = True
    daemon_threads = False  # closing waits for the answers that are under way
    request_queue_size = 128

    def __init__(self, site: Site) -> None:
        self.site = site
        super().__init__((site.settings.host, site.settings.port), Handler)

    def stop_when_told(self) -> None:
        """Make SIGTERM and SIGINT end `serve`."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop())

    def serve(self) -> None:
        """Serve until stopped, then finish the answers that are under way."""
        with self:
            self.serve_forever(poll_interval=0.1)

    def _stop(self) -> None:
        # shutdown() waits for the loop that this very thread, interrupted by the signal, has to end.
        Thread(target=self.shutdown).start()


class Handler(BaseHTTPRequestHandler):
    """Translate between HTTP and the site; one request per connection, so none lingers at the stop."""

    server: Server
    timeout = 5  # seconds a client may take to say what it wants

    def do_GET(self) -> None:
        """Answer with headers and body."""
        self.wfile.write(self._send_headers())

    def do_HEAD(self) -> None:
        """Answer with the headers alone."""
        self._send_headers()

    def version_string(self) -> str:
        """Name the app in the Server header, and not the Python that runs it."""
        return "coach"

    def _send_headers(self) -> bytes:
        answer = self.server.site.answer(self.path.partition("?")[0])
        body = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", answer.caching)
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        return body
