# shellcheck shell=bash
# clean.sh - `down`: stops the lab and takes everything off the machine that it
# put there, also when it did not end in order. Sourced by `cloud`.

# Every step works on whatever is left, so `tidy` may follow any kind of end.
tidy_net() {
  local n
  for n in $(ip netns list | sed -n 's/^\(qrouter-[^ ]*\|qdhcp-[^ ]*\|qlb-[^ ]*\|lab2\).*/\1/p'); do ip netns del "$n"; done
  # exactly the names the layer-2 agent gives: nobody else's taps
  for n in $(ip -o link | sed -nE 's/^[0-9]+: (brq[0-9a-f]{8}-[0-9a-f]{2}|tap[0-9a-f]{8}-[0-9a-f]{2}|vxlan-[0-9]+|t-lab2)[:@].*/\1/p'); do
    ip link del "$n" 2>/dev/null
  done
  # the security-group chains the agent left in this machine's tables
  for n in iptables ip6tables; do
    $n-save 2>/dev/null | grep -q neutron- && $n-save | grep -v neutron- | $n-restore
  done
  # ... and in ebtables, where old rules would make the agent's next start fail
  ebtables-save 2>/dev/null | sed -n 's/^-A \(PREROUTING .*-j neutron.*\)/\1/p' |
    while read -r n; do
      # shellcheck disable=SC2086 # a rule is several words
      ebtables -t nat -D $n
    done
  for n in $(ebtables-save 2>/dev/null | sed -n 's/^:\(neutron[^ ]*\).*/\1/p'); do
    ebtables -t nat -F "$n"
    ebtables -t nat -X "$n"
  done
  for n in $(ipset -n list 2>/dev/null | grep '^NI*Pv[46]'); do ipset destroy "$n" 2>/dev/null; done
  for n in $EXT_BR $TUN_BR; do ip link del "$n" 2>/dev/null; done
}

tidy() {
  local n
  tidy_net
  for n in "$LAB_DIR"/cinder/mnt/*/; do mountpoint -q "$n" && umount "$n"; done
  while mountpoint -q "$NFS_EXPORT"; do umount "$NFS_EXPORT" || umount -l "$NFS_EXPORT" || break; done
  rm -f "$LAB_DIR"/run/*.pid "$LAB_DIR"/run/*.sock "$LAB_DIR/up"
  # libvirt's notes on running guests; the guests are gone
  rm -rf --one-file-system "$LAB_DIR"/hosts/*/run/*
  # the queue's store: nothing in it outlives its clients, and a store that was
  # cut off in the middle would keep it from starting
  rm -rf --one-file-system "$LAB_DIR/rabbit/mnesia"
}

guests_off() { # host
  local v="qemu+unix:///system?socket=$LAB_DIR/hosts/$1/run/libvirt-sock" d
  alive "libvirtd-$1" || return 0
  for d in $(timeout 20 virsh -c "$v" list --name); do timeout 20 virsh -c "$v" destroy "$d" >/dev/null; done
}

cmd_down() {
  local n h
  rm -f "$LAB_DIR/up"
  # nova-compute first, or it would record that its guests were switched off;
  # then the guests, through libvirt
  for h in lab1 lab2; do stop "nova-compute-$h" & done
  wait
  for h in lab1 lab2; do guests_off "$h"; done
  # every daemon but the infrastructure, in parallel
  for n in $(names); do
    case $n in mariadb | rabbitmq | memcached | haproxy | host-*) ;; *) stop "$n" & ;; esac
  done
  wait
  for n in rabbitmq haproxy memcached mariadb host-lab1 host-lab2; do stop "$n"; done
  # what detached itself: epmd, the agents' dnsmasq and haproxy, guests
  end_marked
  tidy
}

# After an end that was not `down` (kill, power cut): daemons are recorded but
# gone. A few single ones are simply started again; without the ground they
# stand on (database, queue, hosts) or with many missing, everything goes first.
recover() {
  local n dead=() all=0 ground=
  for n in $(names); do
    all=$((all + 1))
    alive "$n" && continue
    dead+=("$n")
    case $n in mariadb | rabbitmq | memcached | haproxy | host-* | libvirtd-*) ground=$n ;; esac
  done
  if [ $all = 0 ]; then
    [ -n "$(marked)" ] || return 0
    say "processes of a lab without records: ending them"
  elif [ ${#dead[@]} = 0 ]; then
    return 0
  elif [ -z "$ground" ] && [ ${#dead[@]} -lt 5 ]; then
    say "ended by themselves, starting again: ${dead[*]}"
    return 0
  else
    say "the lab did not end in order (${#dead[@]} of $all daemons gone): clearing what is left"
  fi
  cmd_down
}
