# shellcheck shell=bash
# services.sh - one function a service: configuration, database, daemons.
# Sourced by `cloud`.

sql() { mariadb -S "$LAB_DIR/run/mysql.sock" -u root "$@"; }
mkdb() { local d; for d in "$@"; do once "db-$d" sql -e "CREATE DATABASE IF NOT EXISTS \`$d\` CHARACTER SET utf8;"; done; }

uwsgi() { # name port processes wsgi-script [env...]  [-- application args]
  local n=$1 port=$2 procs=$3 script=$4 envs=() args=()
  shift 4
  while [ $# -gt 0 ]; do
    [ "$1" = -- ] && { shift; args=(--pyargv "$*"); break; }
    envs+=("$1"); shift
  done
  start "$n" env "${envs[@]}" /usr/bin/uwsgi_python3 --http-socket "127.0.0.1:$port" \
    --wsgi-file "$script" --master --processes "$procs" --enable-threads --lazy-apps \
    --buffer-size 65535 --rem-header Content-Length --die-on-term --no-orphans \
    --thunder-lock --listen 100 --disable-logging --chunked-input-limit 1048576 "${args[@]}"
}

up_infra() {
  conf_infra
  if [ ! -e "$LAB_DIR/done/mysql-install" ]; then
    rm -rf --one-file-system "$LAB_DIR/mysql"
    once mysql-install mariadb-install-db --no-defaults --user=root --datadir="$LAB_DIR/mysql" \
      --auth-root-authentication-method=normal --skip-test-db
  fi
  start mariadb /usr/sbin/mariadbd --defaults-file="$E/mysql/my.cnf"
  start memcached /usr/bin/memcached -u root -l 127.0.0.1 -p "$P_MEMCACHED" -m 64 -U 0
  start rabbitmq env HOME="$LAB_DIR/rabbit" ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$P_EPMD" \
    RABBITMQ_NODENAME=lab@localhost RABBITMQ_DIST_PORT="$P_RABBIT_DIST" \
    RABBITMQ_MNESIA_BASE="$LAB_DIR/rabbit/mnesia" RABBITMQ_LOG_BASE="$LAB_DIR/log" \
    RABBITMQ_CONFIG_FILE="$E/rabbit/rabbitmq.conf" RABBITMQ_ADVANCED_CONFIG_FILE="$E/rabbit/advanced.config" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$E/rabbit/enabled_plugins" RABBITMQ_PID_FILE="$LAB_DIR/rabbit/pid" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+sbwt none +sbwtdcpu none +sbwtdio none" \
    /usr/lib/rabbitmq/bin/rabbitmq-server
  start haproxy /usr/sbin/haproxy -db -f "$E/haproxy/haproxy.cfg"
  wait_for 90 mariadb sql -e 'select 1'
  once mysql-user sql -e "CREATE USER IF NOT EXISTS 'lab'@'127.0.0.1' IDENTIFIED BY '$PW'; GRANT ALL ON *.* TO 'lab'@'127.0.0.1';"
  wait_for 90 rabbitmq tcp "$P_RABBIT"
  wait_for 20 memcached tcp "$P_MEMCACHED"
}

up_keystone() {
  local m="keystone-manage --config-file $E/keystone/keystone.conf"
  conf_keystone
  mkdb keystone
  # shellcheck disable=SC2086 # $m is a command with its options
  {
    once keystone-db $m db_sync
    once keystone-fernet $m fernet_setup --keystone-user root --keystone-group root
    once keystone-cred $m credential_setup --keystone-user root --keystone-group root
    once keystone-boot $m bootstrap --bootstrap-password "$PW" \
      --bootstrap-admin-url http://127.0.0.1:15000/v3 --bootstrap-internal-url http://127.0.0.1:15000/v3 \
      --bootstrap-public-url http://127.0.0.1:5000/v3 --bootstrap-region-id RegionOne
  }
  uwsgi keystone 15000 2 /usr/bin/keystone-wsgi-public OS_KEYSTONE_CONFIG_DIR="$E/keystone"
  wait_for 90 keystone http http://127.0.0.1:5000/v3
  seed identity
}

as_admin() { env OS_CLIENT_CONFIG_FILE="$LAB_DIR/clouds.yaml" OS_CLOUD=lab-admin LAB_PW="$PW" \
  LAB_EXTRAS="$LAB_EXTRAS" LAB_MODE="$LAB_HYPERVISOR" EXT_GW="$EXT_GW" /usr/bin/python3 "$LAB_DIR/py/seed.py" "$@"; }
seed() { once "seed-$1" as_admin "$1"; }

up_glance() {
  conf_glance
  mkdb glance
  once glance-db glance-manage --config-file "$E/glance/glance-api.conf" db_sync
  start glance /usr/bin/glance-api --config-file "$E/glance/glance-api.conf"
}

up_placement() {
  conf_placement
  mkdb placement
  once placement-db env OS_PLACEMENT_CONFIG_DIR="$E/placement" placement-manage --config-file "$E/placement/placement.conf" db sync
  uwsgi placement 18778 2 /usr/bin/placement-api OS_PLACEMENT_CONFIG_DIR="$E/placement"
}

nova_db() {
  local c="nova-manage --config-file $E/nova/nova.conf"
  $c api_db sync && $c cell_v2 map_cell0 --database_connection "$(dburl nova_cell0)" &&
    { $c cell_v2 list_cells | grep -q cell1 || $c cell_v2 create_cell --name=cell1; } && $c db sync
}
up_nova() {
  conf_nova
  conf_nova_compute
  mkdb nova_api nova nova_cell0
  once nova-db nova_db
  uwsgi nova-api 18774 2 /usr/bin/nova-api-wsgi OS_NOVA_CONFIG_DIR="$E/nova"
  uwsgi nova-metadata "$P_METADATA" 1 /usr/bin/nova-metadata-wsgi OS_NOVA_CONFIG_DIR="$E/nova"
  start nova-conductor /usr/bin/nova-conductor --config-file "$E/nova/nova.conf"
  start nova-scheduler /usr/bin/nova-scheduler --config-file "$E/nova/nova.conf"
}

# Bridges of the lab. $EXT_BR is the "internet" that floating IPs live on; the
# machine itself is its gateway, so floating IPs answer from here and nowhere else.
net_base() {
  local b
  for b in "$EXT_BR:$EXT_GW/24" "$TUN_BR:172.24.5.1/24"; do
    ip link show "${b%%:*}" >/dev/null 2>&1 || ip link add "${b%%:*}" type bridge
    ip addr replace "${b#*:}" dev "${b%%:*}"
    ip link set "${b%%:*}" up
  done
  sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1 2>/dev/null
  true
}

up_neutron() {
  conf_neutron
  conf_lbagent lab1 172.24.5.1 "public:$EXT_BR"
  mkdb neutron
  once neutron-db neutron-db-manage --config-file "$E/neutron/neutron.conf" --config-file "$E/neutron/ml2.ini" upgrade head
  net_base
  start neutron-server env PYTHONPATH="$LAB_DIR/py" /usr/bin/neutron-server --config-file "$E/neutron/neutron.conf" --config-file "$E/neutron/ml2.ini"
}
up_neutron_agents() {
  local c=$E/neutron/neutron.conf
  start neutron-lb-lab1 /usr/bin/neutron-linuxbridge-agent --config-file "$c" --config-file "$E/neutron/lb-lab1.ini"
  start neutron-l3 /usr/bin/neutron-l3-agent --config-file "$c" --config-file "$E/neutron/l3.ini"
  start neutron-dhcp /usr/bin/neutron-dhcp-agent --config-file "$c" --config-file "$E/neutron/dhcp.ini"
  start neutron-metadata /usr/bin/neutron-metadata-agent --config-file "$c" --config-file "$E/neutron/metadata.ini"
}

up_cinder() {
  local s
  conf_cinder
  mkdb cinder
  # volumes are files on a file system of their own (a sparse image on a loop device)
  if [ ! -e "$LAB_DIR/nfs.img" ]; then
    truncate -s 30G "$LAB_DIR/nfs.img.part"
    mkfs.ext4 -q -m 0 "$LAB_DIR/nfs.img.part" >/dev/null || die "mkfs.ext4 of $LAB_DIR/nfs.img.part"
    mv "$LAB_DIR/nfs.img.part" "$LAB_DIR/nfs.img"
  fi
  mkdir -p "$NFS_EXPORT"
  mountpoint -q "$NFS_EXPORT" || mount -o loop,discard "$LAB_DIR/nfs.img" "$NFS_EXPORT" || die "cannot mount $LAB_DIR/nfs.img on a loop device"
  mkdir -p "$NFS_EXPORT/az1" "$NFS_EXPORT/az2"
  once cinder-db cinder-manage --config-file "$E/cinder/cinder.conf" db sync
  for s in api scheduler volume; do
    start "cinder-$s" "/usr/bin/cinder-$s" --config-file "$E/cinder/cinder.conf"
  done
}

# A compute host is a set of namespaces held by one sleeping process: its own
# host name, /etc/libvirt, /var/lib/libvirt, /run/libvirt; host 2 also has its own network.
holder() { # host
  local h=$1 d=$LAB_DIR/hosts/$1 cmd
  alive "host-$h" && return 0
  cmd="hostname $h; mkdir -p /var/lib/libvirt /run/libvirt /var/cache/libvirt /var/log/libvirt /etc/libvirt
    mount --bind '$d/etc' /etc/libvirt && mount --bind '$d/lib' /var/lib/libvirt &&
    mount --bind '$d/run' /run/libvirt && mount --bind '$d/cache' /var/cache/libvirt &&
    mount --bind '$d/log' /var/log/libvirt && touch '$d/run/held' && exec sleep infinity"
  rm -f "$d/run/held"
  if [ "$h" = lab1 ]; then
    start "host-$h" unshare -m -u sh -c "$cmd"
  else
    ip netns add "$h" 2>/dev/null
    ip link show "t-$h" >/dev/null 2>&1 || ip link add "t-$h" type veth peer name tun0 netns "$h"
    ip link set "t-$h" master "$TUN_BR" up
    ip -n "$h" link set lo up
    ip -n "$h" link set tun0 up
    ip -n "$h" addr replace 172.24.5.2/24 dev tun0
    ip netns exec "$h" sysctl -qw net.bridge.bridge-nf-call-iptables=1 2>/dev/null
    start "host-$h" ip netns exec "$h" unshare -u sh -c "$cmd"
  fi
  wait_for 10 "namespaces of $h=host-$h" test -e "$d/run/held"
}
inhost() { local h=$1; shift; nsenter -t "$(pid "host-$h")" -m -n -u --wd=/ -- "$@"; }
start_in() { # host name command...
  local h=$1 n=$2
  shift 2
  start "$n" nsenter -t "$(pid "host-$h")" -m -n -u --wd=/ -- "$@"
}

up_compute_real() { # host
  local h=$1 p
  conf_libvirt "$h"
  conf_compute "$h" libvirt
  holder "$h"
  if [ "$h" != lab1 ]; then
    # this host has its own loopback: reach the APIs and the queue through unix sockets
    for p in $P_RABBIT 15000 19292 19696 18776 18774 18778; do
      start "fwd-$p" socat "UNIX-LISTEN:$LAB_DIR/run/fwd-$p.sock,fork,unlink-early" "TCP:127.0.0.1:$p"
      start_in "$h" "fwd-$h-$p" socat "TCP-LISTEN:$p,bind=127.0.0.1,fork,reuseaddr" "UNIX-CONNECT:$LAB_DIR/run/fwd-$p.sock"
    done
    conf_lbagent "$h" 172.24.5.2 ""
    start_in "$h" "neutron-lb-$h" /usr/bin/neutron-linuxbridge-agent --config-file "$E/neutron/neutron.conf" --config-file "$E/neutron/lb-$h.ini"
  fi
  start_in "$h" "libvirtd-$h" /usr/sbin/libvirtd --config "$LAB_DIR/hosts/$h/etc/libvirtd.conf" --pid-file "$LAB_DIR/hosts/$h/run/own.pid"
  wait_for 30 "libvirtd of $h=libvirtd-$h" virsh -c "qemu+unix:///system?socket=$LAB_DIR/hosts/$h/run/libvirt-sock" list
  start_in "$h" "nova-compute-$h" /usr/bin/nova-compute --config-file "$E/nova/nova-cmp.conf" --config-file "$E/nova/compute-$h.conf"
}
up_compute_fake() {
  conf_compute "$1" fake
  start "nova-compute-$1" /usr/bin/nova-compute --config-file "$E/nova/nova-cmp.conf" --config-file "$E/nova/compute-$1.conf"
}
compute_hosts() {
  if real; then echo lab1; [ "$LAB_HOSTS" -gt 1 ] && echo lab2; fi
  if fake; then echo fake1; echo fake2; fi
}
host_seeded() { # put a compute host into its zone, once it has registered
  [ -e "$LAB_DIR/done/host-$1" ] && return 0
  nova-manage --config-file "$E/nova/nova.conf" cell_v2 discover_hosts >>"$LAB_DIR/log/setup-hosts.log" 2>&1
  as_admin host "$1" >>"$LAB_DIR/log/setup-hosts.log" 2>&1 && touch "$LAB_DIR/done/host-$1"
}
# The agents and compute hosts have said they live: a cloud that takes orders.
hosts_report() { [ -n "${ONLY-}" ] || as_admin alive >"$LAB_DIR/log/setup-alive.log" 2>&1; }

up_octavia() {
  conf_octavia
  mkdb octavia
  once octavia-db octavia-db-manage --config-file "$E/octavia/octavia.conf" upgrade head
  uwsgi octavia 19876 1 /usr/bin/octavia-wsgi PYTHONPATH="$LAB_DIR/py" -- --config-file "$E/octavia/octavia.conf"
  # stands in for octavia-worker, amphorae and health manager
  start octavia-lb env OS_CLIENT_CONFIG_FILE="$LAB_DIR/clouds.yaml" OS_CLOUD=lab-admin \
    /usr/bin/python3 "$LAB_DIR/py/lablb.py" "$P_MYSQL" "$PW"
}
up_heat() {
  conf_heat
  mkdb heat
  once heat-db heat-manage --config-file "$E/heat/heat.conf" db_sync
  start heat-api /usr/bin/heat-api --config-file "$E/heat/heat.conf"
  start heat-engine /usr/bin/heat-engine --config-file "$E/heat/heat.conf"
}
up_barbican() {
  conf_barbican
  mkdb barbican
  once barbican-db env HOME="$E/barbican" barbican-manage db upgrade
  uwsgi barbican 19311 1 /usr/bin/barbican-wsgi-api HOME="$E/barbican"
}
up_designate() {
  local s
  conf_designate
  mkdir -p "$LAB_DIR/designate"
  mkdb designate
  once designate-db designate-manage --config-file "$E/designate/designate.conf" database sync
  for s in central api; do
    start "designate-$s" "/usr/bin/designate-$s" --config-file "$E/designate/designate.conf"
  done
  wait_for 90 designate=designate-api http http://127.0.0.1:19001/
  once designate-pool designate-manage --config-file "$E/designate/designate.conf" pool update --file "$E/designate/pools.yaml"
  for s in worker producer mdns; do   # these read the pool when they start
    start "designate-$s" "/usr/bin/designate-$s" --config-file "$E/designate/designate.conf"
  done
}
swift_rings() {
  local s b
  for s in account:16202 container:16201 object:16200; do
    b=$E/swift/${s%:*}.builder
    rm -f "$b"
    # 1 is swift-ring-builder's "done, with a warning"
    swift-ring-builder "$b" create 6 1 1 &&
      swift-ring-builder "$b" add --region 1 --zone 1 --ip 127.0.0.1 --port "${s#*:}" --device sda --weight 100 || return 1
    swift-ring-builder "$b" rebalance || [ $? = 1 ] || return 1
  done
}
up_swift() {
  local s
  conf_swift
  once swift-rings swift_rings
  for s in account container object proxy; do
    start "swift-$s" "/usr/bin/swift-$s-server" "$E/swift/$s-server.conf"
  done
}
