"""A Ray cluster to run on: a local one of our own, or one that is there."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from visionkit.errors import UsageError
from visionkit.lazy import load

QUIET = {"RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}
LOCAL = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Keeps a local cluster on the loopback interface; otherwise Ray listens on all of them."""
WAIT = 10.0
"""Seconds until the head of a cluster has to answer."""
TRIES = 4
"""How often a local cluster is begun: on a busy machine Ray's agents take longer than Ray waits for them."""


@contextmanager
def cluster(address: str = "") -> Iterator[Any]:
    """The module ``ray``, connected: to the cluster at ``address`` (``host:6379``, ``auto``), else to one made here.

    Every connection needs a token, unless ``RAY_AUTH_MODE`` says otherwise: a local cluster gets one of its own that
    nobody else knows, of others it is read where Ray reads it (``RAY_AUTH_TOKEN``, ``RAY_AUTH_TOKEN_PATH``,
    ``~/.ray/auth_token``). A local cluster has no dashboard.

    Raises:
        MissingExtraError: Ray is not installed.
        UsageError: nobody answers there, or the token is not that of the cluster.
    """
    if "://" in address:
        help = "start the run on a machine of the cluster, with its host:port or auto"
        raise UsageError(f"--ray-address {address}: Ray's client protocol is not supported", help=help)
    _refuse_silence(address)
    with environment(QUIET if address else {**QUIET, **LOCAL, "RAY_AUTH_TOKEN": secrets.token_hex(32)}):
        ray = load("ray")
        if ray.is_initialized():  # by a program that uses visionkit: it is theirs
            yield ray
            return
        _connect(ray, address)
        try:
            yield ray
        finally:
            ray.shutdown()


def _refuse_silence(address: str) -> None:
    """Raises UsageError where nobody listens: Ray would try for minutes."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal():
        try:
            socket.create_connection((host.strip("[]"), int(port)), WAIT).close()
        except (OSError, OverflowError) as error:
            raise _refused(address, error) from error


def _connect(ray: Any, address: str) -> None:
    options = {"address": address} if address else {"include_dashboard": False}
    handler = signal.getsignal(signal.SIGTERM)
    for left in reversed(range(1 if address else TRIES)):
        try:
            ray.init(**options, log_to_driver=False, logging_level="error")
        except Exception as error:  # Ray raises bare ones too
            ray.shutdown()
            if not left:
                raise _refused(address, error) from error
        else:
            break
    if threading.current_thread() is threading.main_thread():  # Ray puts one of its own there
        signal.signal(signal.SIGTERM, handler)


def _refused(address: str, error: Exception) -> UsageError:
    where = f"the Ray cluster at {address}" if address else "a local Ray cluster"
    help = "is it running, is this the address of its head, and does RAY_AUTH_TOKEN hold its token?"
    return UsageError(
        f"{where} cannot be used: {str(error).strip().partition(chr(10))[0]}", help=help if address else ""
    )


@contextmanager
def environment(defaults: dict[str, str]) -> Iterator[None]:
    """Variables that are not set are, for a while."""
    added = {name: value for name, value in defaults.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
