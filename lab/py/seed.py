"""Creates the lab's identity objects, cloud objects, and zone membership.

  seed.py identity | objects | host NAME | alive
Idempotent: looks a thing up before it creates it.  `alive` creates nothing: it
fails until every service and agent of the cloud has reported lately.
"""
import os
import sys

import openstack

PW = os.environ.get('LAB_PW', '')
EXTRAS = os.environ.get('LAB_EXTRAS', '').split()
conn = openstack.connect()

SERVICES = [  # name, type, public port, path
    ('glance', 'image', 9292, ''),
    ('placement', 'placement', 8778, ''),
    ('nova', 'compute', 8774, '/v2.1'),
    ('neutron', 'network', 9696, ''),
    ('cinder', 'volumev3', 8776, '/v3/%(project_id)s'),
    ('cinder', 'block-storage', 8776, '/v3/%(project_id)s'),
]
OPTIONAL = {
    'octavia': [('octavia', 'load-balancer', 9876, '')],
    'swift': [('swift', 'object-store', 8080, '/v1/AUTH_%(project_id)s')],
    'designate': [('designate', 'dns', 9001, '')],
    'heat': [('heat', 'orchestration', 8004, '/v1/%(project_id)s')],
    'barbican': [('barbican', 'key-manager', 9311, '')],
}


def identity():
    k = conn.identity

    def project(name, domain='default'):
        return k.find_project(name, domain_id=domain) or k.create_project(
            name=name, domain_id=domain)

    def role(name):
        return k.find_role(name) or k.create_role(name=name)

    def user(name, domain='default'):
        return k.find_user(name, domain_id=domain) or k.create_user(
            name=name, password=PW, domain_id=domain)

    for r in ('member', 'reader', 'service', 'load-balancer_member', 'creator',
              'heat_stack_owner', 'heat_stack_user'):
        role(r)
    svc = project('service')
    demo = project('demo')
    rest = [s for x in EXTRAS for s in OPTIONAL[x]]
    for name in sorted({s[0] for s in SERVICES + rest}):
        u = user(name)
        for r in ('admin', 'service'):
            k.assign_project_role_to_user(svc, u, role(r))
    d = user('demo')
    for r in ('member', 'load-balancer_member', 'creator', 'heat_stack_owner'):
        k.assign_project_role_to_user(demo, d, role(r))
    have = {(s.name, s.type): s for s in k.services()}
    for name, typ, port, path in SERVICES + rest:
        s = have.get((name, typ)) or k.create_service(name=name, type=typ)
        if list(k.endpoints(service_id=s.id)):
            continue
        for iface, p in (('public', port), ('internal', port + 10000),
                         ('admin', port + 10000)):
            k.create_endpoint(service_id=s.id, interface=iface,
                              region_id='RegionOne',
                              url='http://127.0.0.1:%d%s' % (p, path))
    if 'heat' in EXTRAS:
        dom = k.find_domain('heat') or k.create_domain(name='heat')
        u = user('heat_domain_admin', dom.id)
        k.assign_domain_role_to_user(dom, u, role('admin'))


FLAVORS = [  # name, vcpus, MiB, GB disk
    ('lab.tiny', 1, 256, 1),
    ('lab.small', 1, 512, 2),
    ('SCS-1L-1', 1, 1024, 5),
    ('SCS-1V-2', 1, 2048, 5),
    ('SCS-1L-1-5', 1, 1024, 5),
    ('SCS-2V-4', 2, 4096, 10),
]


def objects():
    for name, cpu, ram, disk in FLAVORS:
        if not conn.compute.find_flavor(name):
            conn.compute.create_flavor(name=name, vcpus=cpu, ram=ram, disk=disk)
    if not conn.image.find_image('lab-guest'):
        conn.create_image(
            'lab-guest', filename=os.environ['LAB_DIR'] + '/guest.qcow2',
            disk_format='qcow2', container_format='bare', visibility='public',
            wait=True, min_ram=192, min_disk=1, os_distro='debian',
            os_version='12', architecture='x86_64', image_original_user='debian',
            hw_disk_bus='virtio', hw_vif_model='virtio', hw_rng_model='virtio')
    net = conn.network.find_network('public')
    if not net:
        net = conn.network.create_network(
            name='public', is_router_external=True, is_shared=False,
            is_default=True,
            provider_network_type='flat', provider_physical_network='public')
    if not conn.network.find_subnet('public-v4'):
        gw = os.environ['EXT_GW']
        base = gw.rsplit('.', 1)[0]
        conn.network.create_subnet(
            name='public-v4', network_id=net.id, ip_version=4,
            cidr=base + '.0/24', gateway_ip=gw, is_dhcp_enabled=False,
            allocation_pools=[{'start': base + '.10', 'end': base + '.250'}])
    # room for the guests of a monitor run
    for name in ('admin', 'demo'):
        p = conn.identity.find_project(name, domain_id='default')
        conn.set_compute_quotas(p.id, cores=100, instances=60, ram=204800,
                                key_pairs=100, server_groups=20)
    types = [t.name for t in conn.block_storage.types()]
    if 'files' not in types:
        conn.block_storage.create_type(
            name='files', extra_specs={'volume_backend_name': 'files'})


def host(name):
    zone = 'az' + name[-1]
    if name.startswith('fake') and os.environ.get('LAB_MODE') == 'both':
        zone = 'fake'
    aggs = {a.name: a for a in conn.compute.aggregates()}
    hosts = [s.host for s in conn.compute.services(binary='nova-compute')
             if s.state == 'up']
    if name not in hosts:
        sys.exit('not registered, or not up yet')
    # the scheduler asks placement for the zone's members, and nova tells
    # placement only about a host whose resource provider exists already
    if not list(conn.placement.resource_providers(name=name)):
        sys.exit('no resource provider yet')
    a = aggs.get(zone) or conn.compute.create_aggregate(
        name=zone, availability_zone=zone)
    if name not in (a.hosts or []):
        conn.compute.add_host_to_aggregate(a, name)


def alive():
    late = ['nova %s on %s' % (s.binary, s.host)
            for s in conn.compute.services() if s.state != 'up']
    late += ['cinder %s on %s' % (s['binary'], s['host']) for s in
             conn.block_storage.get('/os-services').json()['services']
             if s['state'] != 'up']
    late += ['%s on %s' % (a.agent_type, a.host)
             for a in conn.network.agents() if not a.is_alive]
    if late:
        sys.exit('not reporting: ' + ', '.join(late))


{'identity': identity, 'objects': objects, 'alive': alive}.get(
    sys.argv[1], lambda: host(sys.argv[2]))()
