"""The peer: the same calls through openstacksdk, in one process. CLOUD N (list|NETWORK)"""
import sys

import openstack

cloud, times, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
conn = openstack.connect(cloud=cloud)
for _ in range(times):
    if what == "list":
        list(conn.network.networks())
    else:
        conn.network.get_network(what)
