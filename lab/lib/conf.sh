# shellcheck shell=bash
# conf.sh - writes every configuration file of the lab under $LAB_DIR/etc.
# Sourced by `cloud`; all variables come from there.

# The part that each service's [keystone_authtoken] shares.
authtoken() { # user
  cat <<E
[keystone_authtoken]
www_authenticate_uri = http://127.0.0.1:5000
auth_url = http://127.0.0.1:15000
interface = internal
memcached_servers = 127.0.0.1:$P_MEMCACHED
auth_type = password
project_domain_name = Default
user_domain_name = Default
project_name = service
username = $1
password = $PW
E
}

# Credentials one service uses to call another.
creds() { # section user [extra lines...]
  cat <<E
[$1]
auth_type = password
auth_url = http://127.0.0.1:15000
valid_interfaces = internal
region_name = RegionOne
project_domain_name = Default
user_domain_name = Default
project_name = service
username = $2
password = $PW
E
}

dburl() { echo "mysql+pymysql://lab:$PW@127.0.0.1:$P_MYSQL/$1?charset=utf8"; }

messaging() {
  cat <<E
[oslo_messaging_rabbit]
heartbeat_in_pthread = false
rabbit_retry_interval = 1
[oslo_messaging_notifications]
driver = noop
[oslo_concurrency]
lock_path = $LAB_DIR/lock
E
}

database() { printf '[database]\nconnection = %s\nmax_pool_size = 10\nmax_overflow = 20\n' "$(dburl "$1")"; }

conf_infra() {
  mkdir -p "$E/mysql" "$E/rabbit" "$E/haproxy" "$LAB_DIR/rabbit"
  cat >"$E/mysql/my.cnf" <<X
[mysqld]
datadir = $LAB_DIR/mysql
socket = $LAB_DIR/run/mysql.sock
pid-file = $LAB_DIR/mysql/own.pid
bind-address = 127.0.0.1
port = $P_MYSQL
user = root
skip-name-resolve
skip-log-bin
max_connections = 1000
innodb_buffer_pool_size = 256M
# a throw-away lab: no fsync per commit; a kill loses nothing, a power cut may
innodb_flush_log_at_trx_commit = 2
innodb_doublewrite = 0
character-set-server = utf8mb3
X
  cat >"$E/rabbit/rabbitmq.conf" <<X
listeners.tcp.1 = 127.0.0.1:$P_RABBIT
default_user = lab
default_pass = $PW
loopback_users = none
log.console = true
log.console.level = warning
log.file = false
vm_memory_high_watermark.absolute = 1GB
disk_free_limit.absolute = 200MB
X
  echo '[{kernel,[{inet_dist_use_interface,{127,0,0,1}}]}].' >"$E/rabbit/advanced.config"
  echo '[].' >"$E/rabbit/enabled_plugins"

  # The public endpoints: haproxy with keep-alive, one access-log line a call.
  # Services talk to each other on the internal endpoints (port + 10000), so
  # that the access log holds nothing but what the cloud's users sent.
  {
    cat <<X
global
  maxconn 2000
  log stdout format raw local0
  stats socket $LAB_DIR/run/haproxy.sock mode 600 level admin
  nbthread 1
defaults
  mode http
  log global
  option forwardfor
  option http-server-close
  option http-buffer-request
  timeout connect 5s
  timeout client 900s
  timeout server 900s
  timeout http-keep-alive 75s
  log-format "%Ts.%ms %ft %ci:%cp %HM %HU %ST %B Ta=%Ta Tr=%Tr %hrl"
  # no server answers: 503 as any cloud's balancer would say
X
    local s
    for s in $FRONTS; do
      cat <<X
frontend ${s%:*}
  bind 127.0.0.1:${s#*:}
  http-request capture req.hdr(User-Agent) len 60
  default_backend b_${s%:*}
backend b_${s%:*}
  server s 127.0.0.1:$((10000 + ${s#*:}))
X
    done
  } >"$E/haproxy/haproxy.cfg"
}

conf_keystone() {
  mkdir -p "$E/keystone/fernet-keys" "$E/keystone/credential-keys"
  cat >"$E/keystone/keystone.conf" <<X
[DEFAULT]
use_stderr = true
debug = false
$(database keystone)
[cache]
enabled = true
backend = dogpile.cache.memcached
memcache_servers = 127.0.0.1:$P_MEMCACHED
[token]
provider = fernet
expiration = $LAB_TOKEN_TTL
[fernet_tokens]
key_repository = $E/keystone/fernet-keys
[credential]
key_repository = $E/keystone/credential-keys
[oslo_middleware]
enable_proxy_headers_parsing = true
X
}

conf_glance() {
  mkdir -p "$E/glance" "$LAB_DIR/glance/images" "$LAB_DIR/glance/tmp" "$LAB_DIR/glance/staging"
  cp /usr/share/glance-common/glance-api-paste.ini "$E/glance/"
  cat >"$E/glance/glance-api.conf" <<X
[DEFAULT]
use_stderr = true
bind_host = 127.0.0.1
bind_port = 19292
workers = 1
public_endpoint = http://127.0.0.1:9292
enabled_backends = disk:file
node_staging_uri = file://$LAB_DIR/glance/staging
show_multiple_locations = false
$(database glance)
[glance_store]
default_backend = disk
[disk]
filesystem_store_datadir = $LAB_DIR/glance/images
[os_glance_staging_store]
filesystem_store_datadir = $LAB_DIR/glance/staging
[os_glance_tasks_store]
filesystem_store_datadir = $LAB_DIR/glance/tmp
[paste_deploy]
flavor = keystone
config_file = $E/glance/glance-api-paste.ini
[oslo_concurrency]
lock_path = $LAB_DIR/lock
$(authtoken glance)
X
}

conf_placement() {
  mkdir -p "$E/placement"
  cat >"$E/placement/placement.conf" <<X
[DEFAULT]
use_stderr = true
[api]
auth_strategy = keystone
[placement_database]
connection = $(dburl placement)
$(authtoken placement)
X
}

conf_nova() {
  mkdir -p "$E/nova" "$LAB_DIR/nova"
  cp /usr/share/nova-common/api-paste.ini "$E/nova/"
  cat >"$E/nova/nova.conf" <<X
[DEFAULT]
use_stderr = true
state_path = $LAB_DIR/nova
transport_url = $RABBIT_URL
enabled_apis = osapi_compute,metadata
metadata_workers = 1
my_ip = 127.0.0.1
use_neutron = true
default_schedule_zone =
allow_resize_to_same_host = true
ram_allocation_ratio = 1.5
cpu_allocation_ratio = 16
disk_allocation_ratio = 4
reserved_host_memory_mb = 512
service_down_time = 60
report_interval = 10
shutdown_timeout = 30
instance_usage_audit = false
vif_plugging_is_fatal = true
vif_plugging_timeout = 120
# keep soft limits off and deletes immediate
reclaim_instance_interval = 0
[api]
auth_strategy = keystone
[wsgi]
api_paste_config = $E/nova/api-paste.ini
[api_database]
connection = $(dburl nova_api)
$(database nova)
[conductor]
workers = 1
[scheduler]
workers = 1
discover_hosts_in_cells_interval = 30
[filter_scheduler]
enabled_filters = AvailabilityZoneFilter,ComputeFilter,ComputeCapabilitiesFilter,ImagePropertiesFilter,ServerGroupAntiAffinityFilter,ServerGroupAffinityFilter,SameHostFilter,DifferentHostFilter
[quota]
cores = 200
instances = 100
ram = 204800
[vnc]
enabled = false
[glance]
valid_interfaces = internal
region_name = RegionOne
[cinder]
catalog_info = volumev3::internalURL
os_region_name = RegionOne
cross_az_attach = true
[barbican]
[service_user]
send_service_user_token = true
auth_type = password
auth_url = http://127.0.0.1:15000
project_domain_name = Default
user_domain_name = Default
project_name = service
username = nova
password = $PW
$(creds placement placement)
$(creds neutron neutron)
service_metadata_proxy = true
metadata_proxy_shared_secret = $PW
$(messaging)
$(authtoken nova)
service_token_roles = service
service_token_roles_required = true
X
}

# nova-compute may not see the database: the same file without those sections.
conf_nova_compute() {
  awk '/^\[/ {skip = ($0 == "[database]" || $0 == "[api_database]")} !skip' "$E/nova/nova.conf" >"$E/nova/nova-cmp.conf"
}

# One overlay per nova-compute process: host name, driver.
conf_compute() { # host driver(libvirt|fake)
  local h=$1
  if [ "$2" = fake ]; then
    cat >"$E/nova/compute-$h.conf" <<X
[DEFAULT]
host = $h
compute_driver = fake.MediumFakeDriver
[workarounds]
# a fake hypervisor has no tap device that an agent could report
X
  else
    mkdir -p "$LAB_DIR/hosts/$h/instances"
    cat >"$E/nova/compute-$h.conf" <<X
[DEFAULT]
host = $h
compute_driver = libvirt.LibvirtDriver
instances_path = $LAB_DIR/hosts/$h/instances
state_path = $LAB_DIR/hosts/$h
force_raw_images = false
use_cow_images = true
flat_injected = false
force_config_drive = false
max_concurrent_builds = 2
heal_instance_info_cache_interval = 300
resume_guests_state_on_host_boot = true
[libvirt]
virt_type = qemu
cpu_mode = none
hw_machine_type = x86_64=pc
connection_uri = qemu+unix:///system?socket=$LAB_DIR/hosts/$h/run/libvirt-sock
inject_partition = -2
nfs_mount_point_base = $LAB_DIR/hosts/$h/mnt
use_virtio_for_bridges = true
num_pcie_ports = 0
wait_soft_reboot_seconds = 20
[oslo_concurrency]
lock_path = $LAB_DIR/hosts/$h/lock
X
  fi
}

# libvirtd of one compute host (lives in that host's mount namespace).
conf_libvirt() { # host
  local d=$LAB_DIR/hosts/$1
  mkdir -p "$d"/{etc,lib,run,log,cache,mnt,lock}
  [ -d "$d/etc/nwfilter" ] || cp -a /etc/libvirt/. "$d/etc/" 2>/dev/null
  rm -rf "$d/etc/qemu/networks/autostart"
  [ -s "$d/uuid" ] || cat /proc/sys/kernel/random/uuid >"$d/uuid"
  cat >"$d/etc/libvirtd.conf" <<X
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_group = "root"
unix_sock_rw_perms = "0700"
log_level = 3
log_outputs = "3:stderr"
host_uuid = "$(cat "$d/uuid")"
max_clients = 100
X
  cat >"$d/etc/qemu.conf" <<X
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
stdio_handler = "file"
vnc_listen = "127.0.0.1"
X
}

conf_neutron() {
  mkdir -p "$E/neutron" "$LAB_DIR/neutron"
  cp /usr/share/neutron-common/api-paste.ini "$E/neutron/"
  cat >"$E/neutron/neutron.conf" <<X
[DEFAULT]
use_stderr = true
host = lab1
state_path = $LAB_DIR/neutron
bind_host = 127.0.0.1
bind_port = 19696
api_paste_config = $E/neutron/api-paste.ini
core_plugin = ml2
service_plugins = router,segments
auth_strategy = keystone
transport_url = $RABBIT_URL
allow_overlapping_ips = true
notify_nova_on_port_status_changes = true
notify_nova_on_port_data_changes = true
api_workers = 2
rpc_workers = 1
rpc_state_report_workers = 1
dhcp_agents_per_network = 1
max_allowed_address_pair = 20
router_distributed = false
l3_ha = false
agent_down_time = 75
send_events_interval = 1
[experimental]
linuxbridge = true
[agent]
root_helper = sudo neutron-rootwrap /etc/neutron/rootwrap.conf
root_helper_daemon = sudo neutron-rootwrap-daemon /etc/neutron/rootwrap.conf
report_interval = 20
[quotas]
quota_network = 100
quota_subnet = 100
quota_port = 500
quota_router = 50
quota_floatingip = 60
quota_security_group = 100
quota_security_group_rule = 1000
$(database neutron)
$(creds nova nova)
endpoint_type = internal
$(creds placement placement)
endpoint_type = internal
$(messaging)
$(authtoken neutron)
X
  cat >"$E/neutron/ml2.ini" <<X
[ml2]
type_drivers = flat,vxlan,local
tenant_network_types = vxlan
mechanism_drivers = linuxbridge,l2population,labfake
extension_drivers = port_security
[ml2_type_flat]
flat_networks = public
[ml2_type_vxlan]
vni_ranges = 1:2000
[securitygroup]
enable_security_group = true
enable_ipset = true
firewall_driver = iptables
X
  cat >"$E/neutron/l3.ini" <<X
[DEFAULT]
interface_driver = linuxbridge
agent_mode = legacy
metadata_port = 9697
[agent]
availability_zone = az1
X
  cat >"$E/neutron/dhcp.ini" <<X
[DEFAULT]
interface_driver = linuxbridge
dhcp_driver = neutron.agent.linux.dhcp.Dnsmasq
enable_isolated_metadata = true
dnsmasq_lease_max = 4096
[agent]
availability_zone = az1
X
  cat >"$E/neutron/metadata.ini" <<X
[DEFAULT]
nova_metadata_host = 127.0.0.1
nova_metadata_port = 18775
metadata_proxy_shared_secret = $PW
metadata_workers = 1
[cache]
enabled = false
X
}

# Layer-2 agent of one host.
conf_lbagent() { # host vtep-address bridge_mappings
  cat >"$E/neutron/lb-$1.ini" <<X
[DEFAULT]
host = $1
state_path = $LAB_DIR/hosts/$1/neutron
[linux_bridge]
bridge_mappings = $3
[vxlan]
enable_vxlan = true
local_ip = $2
l2_population = true
[agent]
polling_interval = 1
[securitygroup]
enable_security_group = true
enable_ipset = true
firewall_driver = iptables
X
}

conf_cinder() {
  local z
  mkdir -p "$E/cinder" "$LAB_DIR/cinder/conv"
  cp /usr/share/cinder-common/api-paste.ini "$E/cinder/"
  for z in az1 az2; do echo "lab:$NFS_EXPORT/$z" >"$E/cinder/nfs_shares-$z"; done
  cat >"$E/cinder/cinder.conf" <<X
[DEFAULT]
use_stderr = true
host = lab1
my_ip = 127.0.0.1
state_path = $LAB_DIR/cinder
transport_url = $RABBIT_URL
auth_strategy = keystone
api_paste_config = $E/cinder/api-paste.ini
osapi_volume_listen = 127.0.0.1
osapi_volume_listen_port = 18776
osapi_volume_workers = 1
public_endpoint = http://127.0.0.1:8776
rootwrap_config = /etc/cinder/rootwrap.conf
resource_query_filters_file = /etc/cinder/resource_filters.json
enabled_backends = az1,az2
default_volume_type = files
storage_availability_zone = az1
allow_availability_zone_fallback = true
glance_api_servers = http://127.0.0.1:19292
glance_catalog_info = image:glance:internalURL
image_conversion_dir = $LAB_DIR/cinder/conv
volume_clear = none
quota_volumes = 100
quota_gigabytes = 2000
$(database cinder)
$(creds nova nova)
token_auth_url = http://127.0.0.1:15000
interface = internal
[privsep]
$(messaging)
$(authtoken cinder)
service_token_roles = service
service_token_roles_required = true
X
  for z in az1 az2; do   # one backend a zone, same type
    cat >>"$E/cinder/cinder.conf" <<X
[$z]
volume_backend_name = files
volume_driver = cinder.volume.drivers.nfs.NfsDriver
backend_availability_zone = $z
nfs_shares_config = $E/cinder/nfs_shares-$z
nfs_mount_point_base = $LAB_DIR/cinder/mnt
nfs_sparsed_volumes = true
nfs_snapshot_support = true
nas_secure_file_operations = false
nas_secure_file_permissions = false
max_over_subscription_ratio = 50
X
  done
}

conf_octavia() {
  mkdir -p "$E/octavia"
  cat >"$E/octavia/octavia.conf" <<X
[DEFAULT]
use_stderr = true
transport_url = $RABBIT_URL
[api_settings]
bind_host = 127.0.0.1
auth_strategy = keystone
enabled_provider_drivers = $LB_PROVIDERS
default_provider_driver = ${LB_PROVIDERS%%:*}
api_base_uri = http://127.0.0.1:9876
allow_tls_terminated_listeners = false
[controller_worker]
# the API makes real VIP ports; everything behind it is py/lablb.py
network_driver = allowed_address_pairs_driver
compute_driver = compute_noop_driver
amphora_driver = amphora_noop_driver
[driver_agent]
status_socket_path = $LAB_DIR/run/octavia-status.sock
stats_socket_path = $LAB_DIR/run/octavia-stats.sock
get_socket_path = $LAB_DIR/run/octavia-get.sock
[neutron]
endpoint_type = internalURL
[nova]
endpoint_type = internalURL
[glance]
endpoint_type = internalURL
[cinder]
endpoint_type = internalURL
[oslo_messaging]
topic = octavia_prov
$(database octavia)
$(creds service_auth octavia)
$(messaging)
$(authtoken octavia)
X
}

conf_heat() {
  mkdir -p "$E/heat"
  cp /etc/heat/api-paste.ini "$E/heat/" 2>/dev/null || cp /usr/share/heat-common/api-paste.ini "$E/heat/"
  cat >"$E/heat/heat.conf" <<X
[DEFAULT]
use_stderr = true
transport_url = $RABBIT_URL
auth_encryption_key = 0123456789abcdef0123456789abcdef
num_engine_workers = 1
deferred_auth_method = trusts
stack_domain_admin = heat_domain_admin
stack_domain_admin_password = $PW
stack_user_domain_name = heat
region_name_for_services = RegionOne
environment_dir = /etc/heat/environment.d
template_dir = /etc/heat/templates
[paste_deploy]
api_paste_config = $E/heat/api-paste.ini
[heat_api]
bind_host = 127.0.0.1
bind_port = 18004
workers = 1
[clients]
endpoint_type = internalURL
[clients_keystone]
auth_uri = http://127.0.0.1:15000
$(creds trustee heat)
$(database heat)
$(messaging)
$(authtoken heat)
X
}

conf_barbican() {
  # barbican looks for its file in the home folder, not on its command line
  mkdir -p "$E/barbican/.barbican"
  ln -sf ../barbican.conf "$E/barbican/.barbican/barbican.conf"
  cat >"$E/barbican/barbican.conf" <<X
[DEFAULT]
use_stderr = true
host_href = http://127.0.0.1:9311
sql_connection = $(dburl barbican)
db_auto_create = false
transport_url = $RABBIT_URL
[queue]
enable = false
[secretstore]
enabled_secretstore_plugins = store_crypto
[crypto]
enabled_crypto_plugins = simple_crypto
[simple_crypto_plugin]
kek = dGhpcnR5X3R3b19ieXRlX2tleWJsYWhibGFoYmxhaGg=
$(messaging)
$(authtoken barbican)
X
}

conf_designate() {
  mkdir -p "$E/designate"
  cp /usr/share/designate-common/api-paste.ini "$E/designate/"
  cat >"$E/designate/designate.conf" <<X
[DEFAULT]
use_stderr = true
state_path = $LAB_DIR/designate
transport_url = $RABBIT_URL
[service:api]
listen = 127.0.0.1:19001
auth_strategy = keystone
enable_api_v2 = true
enabled_extensions_v2 = quotas, reports
api_base_uri = http://127.0.0.1:9001/
api_paste_config = $E/designate/api-paste.ini
workers = 1
threads = 20
[service:central]
workers = 1
[service:worker]
workers = 1
[service:producer]
workers = 1
[service:mdns]
workers = 1
listen = 127.0.0.1:15354
[storage:sqlalchemy]
connection = $(dburl designate)
[coordination]
$(messaging)
$(authtoken designate)
X
  cat >"$E/designate/pools.yaml" <<X
- name: default
  description: lab pool, served by designate's own mini DNS
  attributes: {}
  ns_records:
    - hostname: ns1.lab.example.
      priority: 1
  nameservers:          # asked whether a change has arrived: mdns itself
    - host: 127.0.0.1
      port: 15354
  targets:
    - type: fake
      description: accepts every change
      masters:
        - host: 127.0.0.1
          port: 15354
      options:
        host: 127.0.0.1
        port: 15354
X
}

conf_swift() {
  local d=$LAB_DIR/swift s
  mkdir -p "$E/swift" "$d/node/sda"
  cat >"$E/swift/swift.conf" <<X
[swift-hash]
swift_hash_path_suffix = lab
swift_hash_path_prefix = lab
[storage-policy:0]
name = Policy-0
default = yes
X
  for s in account:16202 container:16201 object:16200; do
    cat >"$E/swift/${s%:*}-server.conf" <<X
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${s#*:}
user = root
swift_dir = $E/swift
devices = $d/node
mount_check = false
workers = 0
log_name = swift-${s%:*}
[pipeline:main]
pipeline = healthcheck ${s%:*}-server
[app:${s%:*}-server]
use = egg:swift#${s%:*}
[filter:healthcheck]
use = egg:swift#healthcheck
X
  done
  cat >"$E/swift/proxy-server.conf" <<X
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = 18080
user = root
swift_dir = $E/swift
workers = 0
[pipeline:main]
pipeline = catch_errors healthcheck proxy-logging cache bulk authtoken keystoneauth slo dlo proxy-logging proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$P_MEMCACHED
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
delay_auth_decision = true
$(authtoken swift | tail -n +2)
X
}

conf_clouds() {
  local u
  {
    echo "clouds:"
    for u in admin:admin demo:demo; do
      cat <<X
  lab-${u%:*}:
    auth:
      auth_url: http://127.0.0.1:5000/v3
      username: ${u%:*}
      password: $PW
      project_name: ${u#*:}
      user_domain_name: Default
      project_domain_name: Default
    region_name: RegionOne
    interface: public
    identity_api_version: 3
    dns: ["127.0.0.1:15354"]
X
    done
  } >"$LAB_DIR/clouds.yaml"
}
