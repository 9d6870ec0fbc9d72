"""A Ray cluster of two nodes on this machine: prints its address, and kills the second at a line on standard input."""

import os
import sys

# A node that is gone is noticed soon.
os.environ["RAY_health_check_period_ms"] = "500"
os.environ["RAY_health_check_failure_threshold"] = "4"

from ray.cluster_utils import Cluster  # noqa: E402

cluster = Cluster(
    initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
)
second = cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
print(cluster.address, flush=True)
for _ in sys.stdin:
    cluster.remove_node(second, allow_graceful=False)
    print("killed", flush=True)
cluster.shutdown()
