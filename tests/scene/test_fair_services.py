"""The simulated object store, key manager and orchestration are fair: Debian's clients of them live with them."""
import json
import os
import subprocess

import pytest
import yaml

from simulated import simulated

sdk = pytest.importorskip("openstack", reason="python3-openstacksdk is not installed")


@pytest.fixture(scope="module")
def cloud():
    with simulated(speed=50) as found:
        os.environ["OS_CLIENT_CONFIG_FILE"] = found.clouds
        yield found


def openstack(cloud, *args, code=0):
    out = subprocess.run(["/usr/bin/openstack", "--os-cloud", "sim", *args], env=cloud.environment(),
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
    assert out.returncode == code, f"openstack {' '.join(args)}: {out.stdout}{out.stderr}"
    return out.stdout if code == 0 else out.stdout + out.stderr


def ask(cloud, *args):
    return json.loads(openstack(cloud, *args, "-f", "json"))


def test_client_object_store(cloud, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(os.urandom(90000))
    assert ask(cloud, "container", "create", "c1")[0]["container"] == "c1"
    assert ask(cloud, "object", "create", "c1", str(file), "--name", "d/o1")[0]["object"] == "d/o1"
    openstack(cloud, "object", "set", "--property", "Colour=red", "c1", "d/o1")
    shown = ask(cloud, "object", "show", "c1", "d/o1")
    assert shown["content-length"] == "90000" and shown["properties"] == {"Colour": "red"}
    assert [o["Name"] for o in ask(cloud, "object", "list", "c1")] == ["d/o1"]
    openstack(cloud, "container", "delete", "c1", code=1)  # not empty
    openstack(cloud, "object", "save", "c1", "d/o1", "--file", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == file.read_bytes()
    assert ask(cloud, "object", "store", "account", "show")["Containers"] == "1"
    openstack(cloud, "container", "delete", "--recursive", "c1")
    assert ask(cloud, "container", "list") == []


def test_swift_client(cloud):
    swift = pytest.importorskip("swiftclient", reason="python3-swiftclient is not installed")
    token, catalog = cloud.token()
    url = next(s["endpoints"][0]["url"] for s in catalog if s["type"] == "object-store")
    link = swift.Connection(preauthurl=url, preauthtoken=token, retries=0)
    link.put_container("c2", headers={"X-Container-Meta-A": "b"})
    for name in ("a/1", "a/2", "b"):
        assert link.put_object("c2", name, name.encode(), content_type="text/plain")
    for _ in range(50):  # listings lag
        headers, listed = link.get_container("c2", delimiter="/")
        if len(listed) == 2 and headers["x-container-object-count"] == "3":
            break
    assert [o.get("name", o.get("subdir")) for o in listed] == ["a/", "b"]
    assert headers["x-container-meta-a"] == "b"
    assert link.get_object("c2", "a/2")[1] == b"a/2"
    link.copy_object("c2", "b", destination="/c2/c")
    assert link.head_object("c2", "c")["content-length"] == "1"
    with pytest.raises(swift.ClientException) as refused:
        link.put_object("c2", "b", b"x", etag="0" * 32)
    assert refused.value.http_status == 422
    for name in ("a/1", "a/2", "b", "c"):
        link.delete_object("c2", name)
    for _ in range(50):
        if not link.get_container("c2")[1]:
            break
    link.delete_container("c2")


def test_sdk_object_store(cloud):
    link = sdk.connect(cloud="sim")
    link.object_store.create_container("c3")
    link.object_store.upload_object(container="c3", name="o", data="hello")
    assert link.object_store.download_object("o", container="c3") == b"hello"
    assert link.object_store.get_object_metadata("o", container="c3").content_length == 5
    link.object_store.delete_object("o", container="c3")
    with pytest.raises(sdk.exceptions.ResourceNotFound):
        link.object_store.get_object_metadata("o", container="c3")
    for _ in range(50):
        if not list(link.object_store.objects("c3")):
            break
    link.object_store.delete_container("c3")
    assert not list(link.object_store.containers())


def test_client_key_manager(cloud):
    pytest.importorskip("barbicanclient", reason="python3-barbicanclient is not installed")
    made = ask(cloud, "secret", "store", "--name", "s1", "--payload", "hello", "--payload-content-type", "text/plain")
    ref = made["Secret href"]
    assert ask(cloud, "secret", "get", ref, "--payload")["Payload"] == "hello"
    assert ask(cloud, "secret", "get", ref)["Status"] == "ACTIVE"
    later = ask(cloud, "secret", "store", "--name", "s2")["Secret href"]
    openstack(cloud, "secret", "update", later, "there")
    assert ask(cloud, "secret", "get", later, "--payload")["Payload"] == "there"
    assert [s["Name"] for s in ask(cloud, "secret", "list", "--name", "s2")] == ["s2"]
    box = ask(cloud, "secret", "container", "create", "--name", "box", "--secret", f"a={ref}")["Container href"]
    assert ref in json.dumps(ask(cloud, "secret", "container", "get", box))
    openstack(cloud, "secret", "container", "delete", box)
    for one in (ref, later):
        openstack(cloud, "secret", "delete", one)
    assert ask(cloud, "secret", "list") == []


def test_sdk_key_manager(cloud):
    link = sdk.connect(cloud="sim")
    made = link.key_manager.create_secret(name="s3", payload="hello", payload_content_type="text/plain")
    assert [s.name for s in link.key_manager.secrets(name="s3")] == ["s3"]
    found = link.key_manager.get_secret(made.secret_id)
    assert found.status == "ACTIVE" and found.payload == "hello"
    link.key_manager.delete_secret(made.secret_id)
    assert not list(link.key_manager.secrets(name="s3"))


TEMPLATE = """
heat_template_version: "2018-08-31"
parameters:
  length: {type: number, default: 8}
resources:
  net: {type: "OS::Neutron::Net"}
  sub: {type: "OS::Neutron::Subnet", properties: {network: {get_resource: net}, cidr: 10.8.0.0/24}}
  vm: {type: "OS::Nova::Server", properties: {image: lab-guest, flavor: SCS-1L-1, networks: [{network: {get_resource: net}}]}}
  text: {type: "OS::Heat::RandomString", properties: {length: {get_param: length}}}
outputs:
  text: {value: {get_attr: [text, value]}}
"""


def test_client_orchestration(cloud, tmp_path):
    pytest.importorskip("heatclient", reason="python3-heatclient is not installed")
    file = tmp_path / "stack.yaml"
    file.write_text(TEMPLATE)
    openstack(cloud, "stack", "create", "--wait", "-t", str(file), "st1")  # prints events before its JSON
    assert ask(cloud, "stack", "show", "st1")["stack_status"] == "CREATE_COMPLETE"
    assert {r["resource_name"] for r in ask(cloud, "stack", "resource", "list", "st1")} == {"net", "sub", "vm", "text"}
    assert len(ask(cloud, "stack", "output", "show", "st1", "text")["output_value"]) == 8
    assert ask(cloud, "server", "list")[0]["Status"] == "ACTIVE"
    openstack(cloud, "stack", "update", "--wait", "--existing", "--parameter", "length=5", "st1")
    assert len(ask(cloud, "stack", "output", "show", "st1", "text")["output_value"]) == 5
    assert ask(cloud, "stack", "event", "list", "st1")
    openstack(cloud, "stack", "delete", "--yes", "--wait", "st1")
    assert ask(cloud, "stack", "list") == [] and ask(cloud, "server", "list") == []


def test_sdk_orchestration(cloud):
    link = sdk.connect(cloud="sim")
    made = link.orchestration.create_stack(name="st2", template=yaml.safe_load(TEMPLATE))
    found = link.orchestration.wait_for_status(made, "CREATE_COMPLETE", failures=["CREATE_FAILED"], interval=0.1, wait=60)
    assert found.status == "CREATE_COMPLETE"
    link.orchestration.delete_stack(made)
    link.orchestration.wait_for_delete(made, interval=0.1, wait=60)
