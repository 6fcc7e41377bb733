"""What the tests on the lab share: the program, the openstack SDK's view of the project, the lab's services
and the log of its front end."""
import base64
import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import subprocess

import openstack

ROOT = pathlib.Path(__file__).resolve().parents[2]
GLASSHOUSE = os.environ.get("GLASSHOUSE", str(ROOT / "build/src/glasshouse"))
CLOUD = "lab-test"  # conftest.py makes it
HAPROXY_LOG = pathlib.Path(os.environ.get("LAB_DIR", "/var/tmp/cloudlab")) / "log/haproxy.log"


def arguments(command, *args, state, instance, cloud=CLOUD):
    return [GLASSHOUSE, command, *args, "--cloud", cloud, "--state", str(state), "--instance", instance]


def glasshouse(command, *args, timeout=900, env=None, **session):
    """Runs one command to its end; exit status, stdout and stderr."""
    return subprocess.run(arguments(command, *args, **session), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=timeout, env={**os.environ, **(env or {})}, cwd=ROOT)


def begin(command, *args, stdout=subprocess.DEVNULL, **session):
    """Starts one command; the caller ends it."""
    return subprocess.Popen(arguments(command, *args, **session), stdin=subprocess.DEVNULL, stdout=stdout,
                            stderr=subprocess.DEVNULL, text=True, cwd=ROOT)


def open_rows(state):
    out = subprocess.run([GLASSHOUSE, "ledger", "--open", "--state", str(state)], capture_output=True, text=True)
    return out.returncode, out.stdout


def report_of(out):
    """The report of `try --json`: its last line."""
    return json.loads(out.stdout.strip().splitlines()[-1])


def steps_of(report):
    return {step["name"]: step for step in report["steps"]}


# --- what the cloud says ------------------------------------------------------------------------

def connect(cloud=CLOUD):
    return openstack.connect(cloud=cloud)


def inventory(conn):
    """Everything in the project: (kind, id) -> what it is, without what changes by itself."""
    project = conn.current_project_id
    found = {}

    def add(kind, objects, own=lambda o: True):
        for o in objects:
            fields = {k: o.get(k) for k in ("name", "description", "metadata", "revision_number", "fingerprint",
                                            "status", "port_id", "admin_state_up", "size", "checksum")
                      if k in o}
            if own(o):
                found[kind, o.get("id") or o["name"]] = fields

    def mine(o):
        return o.get("project_id") == project

    get = conn.network.get
    for kind in ("networks", "subnets", "routers", "ports", "security-groups", "security-group-rules",
                 "floatingips"):
        body = get(f"/{kind}").json()
        add(kind, body[kind.replace("-", "_")], mine)
    add("servers", conn.compute.get("/servers/detail").json()["servers"])
    add("keypairs", [k["keypair"] for k in conn.compute.get("/os-keypairs").json()["keypairs"]])
    add("volumes", conn.block_storage.get("/volumes/detail").json()["volumes"])
    add("snapshots", conn.block_storage.get("/snapshots/detail").json()["snapshots"])
    add("containers", conn.object_store.get("?format=json").json())
    add("secrets", [{**s, "id": s["secret_ref"].rsplit("/", 1)[-1]}
                    for s in conn.key_manager.get("/secrets?limit=100").json()["secrets"]])
    add("stacks", conn.orchestration.get("/stacks").json()["stacks"])
    add("images", conn.image.get("/images?limit=500").json()["images"], lambda o: o.get("owner") == project)
    add("loadbalancers", conn.load_balancer.get("/lbaas/loadbalancers").json()["loadbalancers"])
    add("zones", conn.dns.get("/zones?limit=1000").json()["zones"])
    add("stacks", [{**s, "name": s["stack_name"]} for s in conn.orchestration.get("/stacks").json()["stacks"]])
    user = conn.current_user_id
    add("credentials", conn.identity.get(f"/users/{user}/application_credentials").json()["application_credentials"])
    return found


def difference(before, after):
    """What came, went or changed, as lines for people; empty when nothing did."""
    lines = [f"new: {k} {after[k]}" for k in after.keys() - before.keys()]
    lines += [f"gone: {k} {before[k]}" for k in before.keys() - after.keys()]
    lines += [f"changed: {k} {before[k]} -> {after[k]}" for k in before.keys() & after.keys()
              if before[k] != after[k]]
    return sorted(lines)


def own_name(instance, project, kind, rest):
    """A name as this instance itself would write it for that kind; the test's own reckoning."""
    digest = hmac.new(instance.encode(), f"{project}\n{kind}\n{rest}".encode(), hashlib.sha256).digest()
    return f"{rest}-{base64.b32encode(digest).decode().lower()[:10]}"


@contextlib.contextmanager
def planted(conn, instance, server=False):
    """Other people's objects that look as much like ours as they can, of every kind: marks of an
    instance with nearly our name, marks with words around them, names without or with the wrong
    CHECK, names whose CHECK is right for another kind, project or instance. Removed afterwards."""
    project = conn.current_project_id
    run = "tp0000-aaaa"
    rest = f"gh-{run}-thing-0"
    remove = []

    def post(service, path, wrapper, body, delete=None):
        answer = service.post(path, json={wrapper: body})
        assert answer.status_code < 300, answer.text
        made = answer.json()[wrapper]
        remove.append((service, delete or f"{path}/{made['id']}"))
        return made

    try:
        net = post(conn.network, "/networks", "network",
                   {"name": "gh-look-alike-0-aaaaaaaaaa", "description": f"glasshouse {instance}2 {run} net 0"})
        subnet = post(conn.network, "/subnets", "subnet",
                      {"network_id": net["id"], "ip_version": 4, "cidr": "10.99.0.0/24",
                       "name": own_name(instance, "another-project", "subnet", rest)})
        post(conn.network, "/ports", "port",
             {"network_id": net["id"], "name": own_name(instance, project, "network", rest),
              "description": f"see glasshouse {instance} {run} port 0"})
        router = post(conn.network, "/routers", "router",
                      {"name": own_name(instance + "2", project, "router", rest)})
        conn.network.put(f"/routers/{router['id']}/add_router_interface", json={"subnet_id": subnet["id"]})
        post(conn.network, "/security-groups", "security_group",
             {"name": rest, "description": f"glasshouse {instance} {run} group"})
        external = next(n for n in conn.network.get("/networks?router:external=true").json()["networks"])
        post(conn.network, "/floatingips", "floatingip",
             {"floating_network_id": external["id"], "description": f"glasshouse {instance} {run} fip 0 and more"})
        key = own_name(instance + "2", project, "keypair", rest)
        post(conn.compute, "/os-keypairs", "keypair", {"name": key}, f"/os-keypairs/{key}")
        volume = post(conn.block_storage, "/volumes", "volume",
                      {"size": 1, "name": own_name(instance, project, "server", rest),
                       "metadata": {"glasshouse": f"glasshouse other {run} vol 0"}})
        conn.block_storage.wait_for_status(conn.block_storage.get_volume(volume["id"]), "available", wait=60)
        answer = conn.image.post("/images", json={
            "name": rest, "disk_format": "raw", "container_format": "bare", "visibility": "private",
            "glasshouse": f"glasshouse {instance}"})
        assert answer.status_code == 201, answer.text
        remove.append((conn.image, f"/images/{answer.json()['id']}"))
        if server:
            made = conn.compute.create_server(
                name=own_name(instance, project, "volume", rest), networks="none",
                image_id=conn.image.find_image("lab-guest").id,
                flavor_id=conn.compute.find_flavor("lab.tiny").id,
                metadata={"glasshouse": f"glasshouse {instance}2 {run} server 0"})
            conn.compute.wait_for_server(made, wait=180)
            remove.append((conn.compute, f"/servers/{made.id}"))
        yield
    finally:
        for service, path in reversed(remove):
            if path.startswith("/routers/"):
                service.put(f"{path}/remove_router_interface", json={"subnet_id": subnet["id"]})
            service.delete(path)


# --- the lab ------------------------------------------------------------------------------------

def lab(*args):
    out = subprocess.run([str(ROOT / "lab/cloud"), *args], capture_output=True, text=True, timeout=300)
    assert out.returncode == 0, out.stdout + out.stderr


@contextlib.contextmanager
def stopped(*services):
    """The services do not run inside; they are started again whatever happens."""
    try:
        for s in services:
            lab("stop", s)
        yield
    finally:
        for s in services:
            lab("start", s)


class Requests:
    """What the lab's front end has seen of one user agent since this object was made."""

    def __init__(self, agent="glasshouse/"):
        self.agent = agent
        self.at = HAPROXY_LOG.stat().st_size

    def __call__(self):
        with open(HAPROXY_LOG) as f:
            f.seek(self.at)
            lines = [line.split() for line in f if self.agent in line]
        return [(w[3], w[4], int(w[5])) for w in lines if len(w) > 5 and w[5].lstrip("-").isdigit()]
