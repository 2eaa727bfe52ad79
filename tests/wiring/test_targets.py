"""Ports are created once, whichever thread uses them first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from kaizen_tasks.wiring.targets import created_once


class Ports:
    """Ports of which one takes a while to be created."""

    def __init__(self, threads: int) -> None:
        self.lock = threading.RLock()
        self.barrier = threading.Barrier(threads)
        self.created: list[object] = []

    @created_once
    def port(self) -> object:
        """A port that counts how often it is created."""
        threading.Event().wait(0.01)  # lets the other threads in, if nothing keeps them out
        self.created.append(object())
        return self.created[-1]

    def use(self, _number: int) -> object:
        """Use the port in the moment in which all threads do."""
        self.barrier.wait()
        return self.port


def test_threads_that_use_a_port_first_at_the_same_moment_get_the_same_one() -> None:
    """A second registry would read every image again, and a second platform every service."""
    ports = Ports(threads=8)
    with ThreadPoolExecutor(8) as pool:
        used = set(pool.map(ports.use, range(8)))
    assert used == {*ports.created}
    assert len(ports.created) == 1


def test_objects_wait_for_none_but_their_own_ports() -> None:
    """A port that another object is creating keeps nobody waiting."""
    first, second = Ports(threads=1), Ports(threads=1)
    with first.lock, ThreadPoolExecutor(1) as pool:
        assert pool.submit(second.use, 0).result(timeout=10) in second.created
