"""Unit tests cannot start processes or open sockets."""

from __future__ import annotations

import os
import socket
import subprocess

import pytest


def test_unit_test_cannot_start_a_process() -> None:
    for start in (lambda: subprocess.run(["true"], check=True), os.fork, lambda: os.system("true")):
        with pytest.raises(pytest.fail.Exception, match=r"mark it with pytest\.mark\.integration"):
            start()


def test_unit_test_cannot_open_a_socket() -> None:
    with pytest.raises(UserWarning, match="tried to use socket"):
        socket.socket()


@pytest.mark.integration
def test_integration_test_cannot_leave_this_machine() -> None:
    with socket.socket() as client, pytest.raises(UserWarning, match="tried to use socket"):
        client.connect(("192.0.2.1", 80))
