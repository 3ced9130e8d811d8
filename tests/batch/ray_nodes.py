"""Three nodes of a Ray cluster in one process: prints the address, then takes orders on stdin."""

from __future__ import annotations

import os
import sys

os.environ |= {"RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    from ray.cluster_utils import Cluster

    quick = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
    node = {"num_cpus": 1, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "_system_config": quick})
    others = [cluster.add_node(num_cpus=1, wait=False) for _ in range(2)]
    cluster.wait_for_nodes(timeout=120)
    say(cluster.address)
    for line in sys.stdin:
        if line.strip() == "remove":
            cluster.remove_node(others.pop(), allow_graceful=False)
            say("removed")
    cluster.shutdown()


if __name__ == "__main__":
    main()
