"""What a Ray cluster is asked for: tokens, no dashboard, loopback; processors and GPUs for workers. No cluster here."""

from __future__ import annotations

import os
import re
from types import SimpleNamespace
from typing import Any

import pytest

from visionkit.api import Pipeline
from visionkit.errors import UsageError
from visionkit.runtime.context import RunSettings
from visionkit.runtime.distributed import connect
from visionkit.runtime.distributed.share import Share, share_of

CV = "stages:\n  - contours: {}\n"
NETWORK = "stages:\n  - detect: {weights: ssdlite320_mobilenet_v3_large}\n"
GPUS = [{"CPU": 32.0, "GPU": 4.0}, {"CPU": 32.0, "GPU": 4.0}, {"CPU": 8.0}]
CPUS = [{"CPU": 6.0}, {"CPU": 3.0}]


class Ray:
    """Stands for the module: remembers how it was begun, and under which variables."""

    def __init__(self) -> None:
        self.options: dict[str, Any] = {}
        self.variables: dict[str, str] = {}
        self.ended = 0

    def is_initialized(self) -> bool:
        return False

    def init(self, **options: Any) -> None:
        self.options, self.variables = options, dict(os.environ)

    def shutdown(self) -> None:
        self.ended += 1


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Ray:
    ray = Ray()
    monkeypatch.setattr(connect, "load", lambda name: ray)
    for name in [name for name in os.environ if name.startswith("RAY_")]:
        monkeypatch.delenv(name)
    return ray


def test_a_local_cluster_has_a_token_of_its_own_and_no_dashboard(ray: Ray) -> None:
    tokens = set()
    for _ in range(2):
        with connect.cluster() as found:
            assert found is ray
        assert ray.options["include_dashboard"] is False
        assert ray.variables["RAY_AUTH_MODE"] == "token"
        assert ray.variables["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] == "0"
        tokens.add(ray.variables["RAY_AUTH_TOKEN"])
    assert len(tokens) == ray.ended == 2
    assert all(re.fullmatch("[0-9a-f]{64}", token) for token in tokens)
    assert not [name for name in os.environ if name.startswith("RAY_")]


def test_a_cluster_of_yours_is_asked_for_its_token(ray: Ray, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect.cluster("auto"):
        assert ray.variables["RAY_AUTH_MODE"] == "token"
        assert "RAY_AUTH_TOKEN" not in ray.variables  # Ray reads it where it lies
        assert ray.options["address"] == "auto"
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with connect.cluster("auto"):
        assert ray.variables["RAY_AUTH_MODE"] == "disabled"


def share(nodes: list[dict[str, float]], text: str, **settings: Any) -> Share:
    cluster = SimpleNamespace(nodes=lambda: [{"Alive": True, "Resources": node} for node in nodes])
    return share_of(cluster, Pipeline.from_text(text).plan, RunSettings(**settings))


@pytest.mark.parametrize(
    ("nodes", "text", "settings", "expected"),
    [
        (CPUS, CV, {}, Share(1, 0, "cpu", 9)),
        (CPUS, CV, {"workers": 3}, Share(3, 0, "cpu", 3)),
        (CPUS, NETWORK, {}, Share(3, 0, "cpu", 3)),
        (GPUS, CV, {}, Share(1, 0, "cpu", 72)),
        (GPUS, NETWORK, {}, Share(8, 1, "cuda", 8)),
        (GPUS, NETWORK, {"workers": 16}, Share(16, 1, "cuda", 4)),
        (GPUS, CV, {"device": "cuda"}, Share(8, 1, "cuda", 8)),
        (GPUS, NETWORK, {"device": "cpu"}, Share(4, 0, "cpu", 18)),
    ],
)
def test_what_a_worker_gets(
    nodes: list[dict[str, float]], text: str, settings: dict[str, Any], expected: Share
) -> None:
    found = share(nodes, text, **settings)
    assert found == expected
    assert found.needs == {"num_cpus": expected.cores} | ({"num_gpus": 1} if expected.gpus else {})


def test_what_no_machine_has_is_an_error() -> None:
    with pytest.raises(UsageError, match="no machine of the cluster has a GPU"):
        share(CPUS, NETWORK, device="cuda")
    with pytest.raises(UsageError, match="the largest has 6"):
        share(CPUS, CV, workers=7)
