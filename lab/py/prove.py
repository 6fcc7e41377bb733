"""Proves that the lab works: network, router, port, floating IP, server, ssh;
then deletes all of it.  `cloud prove` runs it; exit 0 when the guest answered
and nothing is left.
"""
import os
import subprocess
import sys
import tempfile
import time
import uuid

import openstack

NAME = 'lab-prove-' + uuid.uuid4().hex[:8]
conn = openstack.connect(cloud='lab-demo')
undo = []           # newest last: (what, function)
start = time.time()


def say(text):
    print('%6.1f s  %s' % (time.time() - start, text), flush=True)


def made(what, obj, delete):
    undo.append((what, lambda: delete(obj)))
    say(what)
    return obj


def gone(server):
    conn.compute.delete_server(server)
    conn.compute.wait_for_delete(server, interval=1, wait=120)


def build(tmp):
    net = conn.network
    ext = net.find_network('public')
    n = made('network', net.create_network(name=NAME), net.delete_network)
    sub = made('subnet', net.create_subnet(
        name=NAME, network_id=n.id, ip_version=4, cidr='10.253.7.0/24'),
        net.delete_subnet)
    r = made('router', net.create_router(
        name=NAME, external_gateway_info={'network_id': ext.id}),
        net.delete_router)
    made('router interface', net.add_interface_to_router(r, subnet_id=sub.id),
         lambda _: net.remove_interface_from_router(r, subnet_id=sub.id))
    g = made('security group', net.create_security_group(name=NAME),
             net.delete_security_group)
    net.create_security_group_rule(
        security_group_id=g.id, direction='ingress', protocol='tcp',
        port_range_min=22, port_range_max=22)
    key = made('key pair', conn.compute.create_keypair(name=NAME),
               conn.compute.delete_keypair)
    with open(tmp + '/key', 'w', opener=lambda p, f: os.open(p, f, 0o600)) as f:
        f.write(key.private_key)
    port = made('port', net.create_port(
        name=NAME, network_id=n.id, security_groups=[g.id]), net.delete_port)
    fip = made('floating IP', net.create_ip(
        floating_network_id=ext.id, port_id=port.id), net.delete_ip)
    s = made('server', conn.compute.create_server(
        name=NAME, image_id=conn.image.find_image('lab-guest').id,
        flavor_id=conn.compute.find_flavor('lab.tiny').id, key_name=NAME,
        networks=[{'port': port.id}]), gone)
    conn.compute.wait_for_server(s, interval=1, wait=180)
    say('server ACTIVE')
    return fip.floating_ip_address


def login(ip, tmp):
    end = time.time() + 120
    while True:
        p = subprocess.run(
            ['ssh', '-i', tmp + '/key', '-o', 'StrictHostKeyChecking=no',
             '-o', 'UserKnownHostsFile=/dev/null', '-o', 'BatchMode=yes',
             '-o', 'ConnectTimeout=3', '-o', 'LogLevel=ERROR',
             'debian@' + ip, 'hostname'],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if p.returncode == 0 and p.stdout.strip() == NAME:
            return say('ssh to %s answers with its name' % ip)
        if time.time() > end:
            raise RuntimeError('no log-in at %s: %s' % (ip, p.stdout.strip()))
        time.sleep(1)


def main():
    ok = True
    with tempfile.TemporaryDirectory() as tmp:
        try:
            login(build(tmp), tmp)
        except Exception as e:
            say('FAILED: %s' % e)
            ok = False
        for what, do in reversed(undo):
            for left in (4, 3, 2, 1, 0):    # deletes lag behind each other
                try:
                    do()
                    break
                except Exception as e:
                    if not left:
                        say('FAILED to delete the %s: %s' % (what, e))
                        ok = False
                    time.sleep(1)
    say('all deleted' if ok else 'not proved')
    return 0 if ok else 1


sys.exit(main())
