# shellcheck shell=bash
# process.sh - daemons without systemd: start, stop, find again. Sourced by `cloud`.
#
# run/NAME.pid holds "pid start-time boot-id" of a daemon, which leads its own
# session. A pid that was reused, or is of an earlier boot, is never taken for
# ours. Every daemon also carries CLOUDLAB=<state folder> in its environment, so
# that what it left behind when it was killed can be found without its pid.

stamp() { # pid: "start-time" of a living process, nothing for a zombie
  local rest
  rest=$(sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null) || return 1
  [ -n "$rest" ] && [ "${rest%% *}" != Z ] && cut -d' ' -f20 <<<"$rest"
}

alive() { # name
  local p t b
  read -r p t b 2>/dev/null <"$LAB_DIR/run/$1.pid" || return 1
  [ -n "$p" ] && [ "$b" = "$BOOT_ID" ] && [ "$(stamp "$p")" = "$t" ]
}

pid() { cut -d' ' -f1 "$LAB_DIR/run/$1.pid"; }
# oldest first
names() { find "$LAB_DIR/run" -maxdepth 1 -name '*.pid' -printf '%T@ %f\n' 2>/dev/null | sort -n | sed 's/^[^ ]* //; s/\.pid$//'; }

start() { # name command...
  local n=$1 p
  shift
  [ -z "${ONLY-}" ] || [ "$ONLY" = "$n" ] || return 0
  alive "$n" && return 0
  bury "$n"
  # 9 is the lock of `up`: a daemon must not hold it
  (cd "$LAB_DIR/run" && exec 9>&- setsid env CLOUDLAB="$LAB_DIR" "$@" </dev/null >>"$LAB_DIR/log/$n.log" 2>&1) &
  p=$!
  disown
  echo "$p $(stamp "$p") $BOOT_ID" >"$LAB_DIR/run/$n.pid"
}

stop() { # name: TERM to the leader, KILL to its session after 15 s
  local p _
  if alive "$1"; then
    p=$(pid "$1")
    kill -TERM "$p" 2>/dev/null
    for _ in $(seq 75); do alive "$1" || break; sleep 0.2; done
  fi
  bury "$1"
  rm -f "$LAB_DIR/run/$1.pid"
}

bury() { # name: its leader is gone or must go; end what is left of its session
  local p t b now
  read -r p t b 2>/dev/null <"$LAB_DIR/run/$1.pid" || return 0
  [ -n "$p" ] && [ "$b" = "$BOOT_ID" ] || return 0
  now=$(stamp "$p")
  # somebody else's process with a reused number (its session is not ours either)
  [ -z "$now" ] || [ "$now" = "$t" ] || return 0
  # shellcheck disable=SC2046 # a list of numbers
  kill -KILL $(ps -o pid= -s "$p") 2>/dev/null
  return 0
}

# Every living process of this lab, whoever its parent is now: by the mark in
# its environment, or, for those that libvirt and sudo start with a fresh environment
# (guests, helpers), by the state folder on their command line.
marked() {
  local p c
  grep -lszxF "CLOUDLAB=$LAB_DIR" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3
  for p in $(ps -eo pid=,comm= | awk '$2 ~ /^(qemu-system|dnsmasq|haproxy|privsep-helper|radvd|keepalived)/ {print $1}'); do
    c=$(tr '\0' ' ' 2>/dev/null <"/proc/$p/cmdline") || continue
    case $c in *"$LAB_DIR/"*) echo "$p" ;; esac
  done
}

end_marked() { # TERM, then KILL after 5 s, for every process of the lab
  local _ list
  list=$(marked | sort -u | grep -vx "$$")
  [ -n "$list" ] || return 0
  # shellcheck disable=SC2086
  kill -TERM $list 2>/dev/null
  for _ in $(seq 25); do
    list=$(marked | sort -u | grep -vx "$$")
    [ -n "$list" ] || return 0
    sleep 0.2
  done
  # shellcheck disable=SC2086
  kill -KILL $list 2>/dev/null
  sleep 0.5
}

# wait_for SECONDS NAME[=DAEMON] COMMAND...: until the command succeeds; gives up
# at once when the daemon has ended, because then waiting is in vain.
wait_for() {
  local n=$1 what=${2%%=*} d=${2#*=} end
  shift 2
  [ -z "${ONLY-}" ] || [ "$ONLY" = "$d" ] || return 0
  end=$((SECONDS + n))
  until "$@" >/dev/null 2>&1; do
    if [ -e "$LAB_DIR/run/$d.pid" ] && ! alive "$d"; then
      die "$what ended while it was starting" "$LAB_DIR/log/$d.log"
    fi
    [ $SECONDS -lt $end ] || die "$what did not answer within $n s" "$LAB_DIR/log/$d.log"
    sleep 0.5
  done
}

tcp() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
http() { case $(curl -s -o /dev/null -m 20 -w '%{http_code}' "$1") in 2??|300|401) ;; *) return 1 ;; esac; }

once() { # mark command...: run it once per state folder
  [ -e "$LAB_DIR/done/$1" ] && return 0
  "${@:2}" >>"$LAB_DIR/log/setup-$1.log" 2>&1 9>&- || die "$1 failed" "$LAB_DIR/log/setup-$1.log"
  touch "$LAB_DIR/done/$1"
}
