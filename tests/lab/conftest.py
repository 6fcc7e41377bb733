"""Each session of tests has a project and a user of its own, so that whatever else uses the lab does not
disturb what it counts; the cloud `lab-test` of a clouds.yaml of its own leads there."""
import os
import random

import openstack
import pytest
import yaml

from lab import CLOUD, connect, inventory


def make_project(admin, name):
    """A project with a user who is a member there, as entry for clouds.yaml; and how to remove them."""
    project = admin.identity.create_project(name=name, domain_id="default")
    user = admin.identity.create_user(name=name, password=f"{name}-secret", domain_id="default",
                                      default_project_id=project.id)
    # "creator" is what barbican asks for, "heat_stack_owner" heat
    for role in ("member", "reader", "creator", "load-balancer_member", "heat_stack_owner"):
        admin.identity.assign_project_role_to_user(project, user, admin.identity.find_role(role))
    entry = {"auth": {"auth_url": admin.config.auth["auth_url"], "username": name, "password": f"{name}-secret",
                      "project_name": name, "user_domain_name": "Default", "project_domain_name": "Default"},
             "region_name": "RegionOne", "identity_api_version": 3, "dns": ["127.0.0.1:15354"]}

    def remove():
        for group in admin.network.security_groups(project_id=project.id):
            admin.network.delete_security_group(group)
        admin.identity.delete_user(user)
        admin.identity.delete_project(project)

    return entry, remove


@pytest.fixture(scope="session", autouse=True)
def project(tmp_path_factory):
    admin = openstack.connect(cloud="lab-admin")
    entry, remove = make_project(admin, f"lab-test-{random.randrange(16 ** 6):06x}")
    with open(os.environ["OS_CLIENT_CONFIG_FILE"]) as f:
        clouds = {"clouds": {"lab-admin": yaml.safe_load(f)["clouds"]["lab-admin"], CLOUD: entry}}
    path = tmp_path_factory.mktemp("clouds") / "clouds.yaml"
    path.write_text(yaml.safe_dump(clouds))
    path.chmod(0o600)
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(path)
    yield entry
    left = {key for key in inventory(connect()) if key[0] not in ("security-groups", "security-group-rules")}
    remove()
    assert not left


@pytest.fixture(scope="session")
def conn(project):
    connection = connect()
    inventory(connection)  # neutron makes the group "default" when it is first asked
    return connection


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"
