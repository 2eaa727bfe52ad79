"""Asking the running app, as a stranger would: over a new connection, and never for longer than was said."""

from __future__ import annotations

import threading

from kaizen_tasks.domain.health import Answer, Question


class UrllibProber:
    """Asks with urllib3."""

    def ask(self, url: str, *, timeout: float, limit: int, question: Question | None = None) -> Answer:
        """Ask an address; follow no redirect; read at most `limit` bytes within `timeout` seconds.

        A thread of its own does the asking: name resolution cannot be interrupted, and a server that sends
        one byte a second never meets a timeout of the socket.
        """
        from kaizen_tasks.adapters.http.request import Exchange

        exchange = Exchange(url, question or Question(), timeout=timeout, limit=limit)
        worker = threading.Thread(target=exchange.run, name=f"ask {url}", daemon=True)
        worker.start()
        worker.join(timeout)
        if worker.is_alive():
            exchange.abandon()
            return Answer(fault=exchange.silence)
        return exchange.answer
