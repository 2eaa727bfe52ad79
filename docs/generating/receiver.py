"""Accepts two messages, then ends: the receiver of the examples."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer


class Receiver(BaseHTTPRequestHandler):
    """Accepts every message."""

    def do_POST(self) -> None:
        """Read the message, and accept it."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()


if __name__ == "__main__":
    with HTTPServer(("127.0.0.1", 8079), Receiver) as server:
        for _ in range(2):
            server.handle_request()
