# shellcheck shell=bash
# check.sh - what this machine must have before the lab can start. One line for
# each thing that is missing. Sourced by `cloud`.

missing() { printf 'missing  %-9s %s\n' "$1" "$2"; MISSING=$((MISSING + 1)); }
present() { [ -n "${QUIET-}" ] || printf 'ok       %-9s %s\n' "$1" "$2"; }
# test NAME GOOD BAD COMMAND...
test_for() {
  local what=$1 good=$2 bad=$3
  shift 3
  if "$@" >/dev/null 2>&1; then present "$what" "$good"; else missing "$what" "$bad"; fi
}

# A network namespace of its own to try things in.
in_scratch_net() { unshare -n sh -c "$1"; }

check_kernel() {
  test_for kernel "namespaces" "no network, mount or UTS namespaces (unshare -n -m -u fails): no containers without privileges" \
    unshare -n -m -u true
  test_for kernel "bridge" "no bridge device (module bridge)" in_scratch_net 'ip link add t0 type bridge'
  test_for kernel "vxlan" "no vxlan device (module vxlan)" in_scratch_net 'ip link add t0 type vxlan id 1 dstport 4789'
  test_for kernel "veth" "no veth device (module veth)" in_scratch_net 'ip link add t0 type veth peer name t1'
  test_for kernel "tun" "no tap device (module tun, /dev/net/tun)" in_scratch_net 'ip tuntap add t0 mode tap'
  modprobe -q br_netfilter 2>/dev/null
  test_for kernel "bridge netfilter" "no /proc/sys/net/bridge (module br_netfilter)" test -e /proc/sys/net/bridge/bridge-nf-call-iptables
  test_for kernel "loop devices" "no free loop device (module loop)" losetup -f
  # these two need their programs
  if command -v iptables >/dev/null && command -v ipset >/dev/null; then
    test_for kernel "iptables" "iptables cannot match physdev or NAT (modules xt_physdev, nf_nat)" in_scratch_net \
      'iptables -A FORWARD -m physdev --physdev-in t0 --physdev-is-bridged -j ACCEPT && iptables -t nat -A POSTROUTING -j MASQUERADE'
    test_for kernel "ipset" "no IP sets (modules ip_set, ip_set_hash_net, xt_set)" in_scratch_net \
      'ipset create t0 hash:net && iptables -A INPUT -m set --match-set t0 src -j ACCEPT'
  fi
}

check_room() {
  local need=4300 have dir=$LAB_DIR
  # measured: 5.3 GiB used by the idle lab with all extras, 3.9 GiB without
  [ -n "${LAB_EXTRAS// /}" ] && need=5800
  have=$(awk '/^MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)
  test_for memory "$have MiB available" "$have MiB available, $need needed (fewer with LAB_EXTRAS='')" [ "$have" -ge "$need" ]
  while [ ! -d "$dir" ]; do dir=$(dirname "$dir"); done
  have=$(df -Pm "$dir" | awk 'NR == 2 {print $4}')
  test_for disk "$have MiB free at $dir" "$have MiB free at $dir, 3000 needed" [ "$have" -ge 3000 ]
}

check_net() {
  local ours list p r busy=""
  ours=" $(marked | sort -u | tr '\n' ' ') "
  list=$(ss -Hltnp 2>/dev/null)
  for p in $(lab_ports); do
    while read -r r; do
      case $r in *:"$p"\ *) ;; *) continue ;; esac
      r=$(sed -n 's/.*"\([^"]*\)",pid=\([0-9]*\).*/\1 \2/p' <<<"$r")
      case $ours in *" ${r#* } "*) ;; *) busy+=" $p (${r:-unknown})" ;; esac
    done < <(awk '{print $4 " " $6}' <<<"$list")
  done
  test_for ports "free" "in use by others:$busy" [ -z "$busy" ]
  for r in 172.24.4 172.24.5; do
    list=$(ip -4 route show to match "$r.1" | grep -v '^default' | grep -vE "dev ($EXT_BR|$TUN_BR)( |$)")
    test_for network "$r.0/24 is free" "$r.0/24 is routed elsewhere: ${list%%$'\n'*}" [ -z "$list" ]
  done
}

lab_ports() {
  local x
  for x in $FRONTS; do echo "${x#*:}" $((${x#*:} + 10000)); done
  echo "$P_MYSQL $P_RABBIT $P_RABBIT_DIST $P_EPMD $P_MEMCACHED $P_METADATA"
  has swift && echo 16200 16201 16202
  has designate && echo 15354
  return 0
}

cmd_check() { # [quiet]: also without a running lab; 1 when something is missing
  local list
  QUIET=${1-}
  MISSING=0
  if [ "$(id -u)" != 0 ]; then
    missing root "namespaces, bridges and mounts need root: use sudo"
    return 1
  fi
  present root yes
  test_for system "Debian 12" "only Debian 12 has the packages of the right release (this: $(. /etc/os-release && echo "$PRETTY_NAME"))" \
    grep -q '^VERSION_ID="12"' /etc/os-release
  check_kernel
  check_room
  check_net
  list=$(packages_missing)
  test_for packages "installed" "not installed ($(wc -w <<<"$list")): run '$0 install'" [ -z "$list" ]
  [ "$MISSING" = 0 ]
}
