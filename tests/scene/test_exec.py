"""Programs as probes: what is measured of them, what they may see and use, and that nothing of them survives."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile

import pytest

from carbon import free_ports
from running import LOOPBACK, Run, until
from simulated import GLASSHOUSE, simulated
from test_ingest import series
from test_probes import Place, once


@contextlib.contextmanager
def house(path, *probes, cloud=None, **more):
    """A house whose probes of kind exec run every second unless they say otherwise."""
    every = {"every": "1s", "timeout": "1s"}
    run = Run(cloud or Place(path), {"clouds": {}, "probes": [{**every, **p} for p in probes], **more})
    try:
        yield run
    finally:
        run.close()


def shell(script, **more):
    return {"exec": {"run": ["/bin/sh", "-c", script], **more}}


def processes(mark):
    """Those whose command line has the mark."""
    found = []
    for d in pathlib.Path("/proc").iterdir():
        if d.name.isdigit():
            with contextlib.suppress(OSError):
                if mark in (d / "cmdline").read_bytes().decode(errors="replace").split("\0"):
                    found.append(int(d.name))
    return found


def below(pid):
    """Everything that descends from a process."""
    parents = {}
    for d in pathlib.Path("/proc").iterdir():
        if d.name.isdigit():
            with contextlib.suppress(OSError):
                parents.setdefault(int((d / "stat").read_text().rsplit(")", 1)[1].split()[1]), []).append(int(d.name))
    found, left = [], [pid]
    while left:
        children = parents.get(left.pop(), [])
        found += children
        left += children
    return found


def helper(run):
    return next((p for p in below(run.process.pid) if p in processes("program-helper")), None)


def seconds(tag):
    """A time to sleep that nobody else sleeps."""
    return f"{100000 + os.getpid()}.{tag}"


def lines(path):
    file = pathlib.Path(path) / "runs"
    return file.read_text().splitlines() if file.exists() else []


# --- one run ---


def test_what_is_measured(tmp_path):
    r = once(tmp_path, {**shell("echo '{\"a\": [7]}'; echo oops >&2; exit 3"), "expect": [
        "[EXIT_STATUS] == 3", "[BODY].a[0] == 7", "[OUTPUT] == re(oops)", "[CPU_TIME] < 10s", "[MEMORY] > 100KiB",
        "[CONNECTED] == true"]})
    assert r["fault"] == "none" and all(c["ok"] for c in r["conditions"]), r
    r = once(tmp_path, {"exec": "/bin/echo one   two"})
    assert r["measured"]["OUTPUT"] == "one two" and r["measured"]["EXIT_STATUS"] == 0
    assert "BODY" not in r["measured"] and r["target"] == "/bin/echo one two"


def test_a_failure_tells_the_last_line(tmp_path):
    r = once(tmp_path, shell("echo fine; echo a >&2; echo it broke >&2; exit 2"), 1)
    assert (r["fault"], r["detail"]) == ("exit_status", "exit status 2: it broke")
    r = once(tmp_path, shell("echo the only word; exit 1"), 1)
    assert r["detail"] == "exit status 1: the only word"
    r = once(tmp_path, shell("kill -SEGV $$"), 1)
    assert r["fault"] == "exit_status" and r["detail"].startswith("ended by signal 11")


def test_its_secrets_are_never_shown(tmp_path):
    r = once(tmp_path, shell("echo $TOKEN; echo no entry with $TOKEN >&2; exit 1", env={"TOKEN": "env:PUSH"}), 1)
    assert r["detail"] == "exit status 1: no entry with ***" and "a-token-of-a-probe" not in json.dumps(r)


@pytest.mark.parametrize("spec, words", [
    ({"run": "/no/such/program"}, "the program cannot be run: No such file"),
    ({"run": "true", "directory": "/no/such/place"}, "the directory cannot be entered: No such file"),
    ({"run": "true", "directory": "/", "tasks": "no-such-*.yaml"}, "no file matches no-such-*.yaml"),
])
def test_what_cannot_run(tmp_path, spec, words):
    r = once(tmp_path, {"exec": spec}, 2)
    assert r["fault"] == "configuration" and words in r["detail"], r


@pytest.mark.parametrize("spec, words", [
    ({"run": []}, "run names no program"),
    ({"run": "true", "env": {"A-B": "c"}}, '"A-B" is no name of a variable'),
    ({"run": "true", "git": "https://x.example/r", "directory": "../.."}, "directory lies in the working copy"),
    ({"run": "true", "tasks": "*.yaml"}, "tasks needs git or directory"),
    ({"run": "true", "statsd": "a b"}, "statsd is a prefix"),
    ({"run": "true", "git": "--upload-pack=x"}, "is no repository"),
])
def test_what_cannot_be_read(tmp_path, spec, words):
    file = tmp_path / "glasshouse.yaml"
    file.write_text(json.dumps({"clouds": {}, "probes": [{"name": "p", "exec": spec}]}))
    out = subprocess.run([GLASSHOUSE, "config", "check", "-c", str(file)],
                         capture_output=True, text=True, timeout=60, check=False)
    assert out.returncode == 1 and words in out.stderr, out


def test_output_is_cut_and_the_rest_is_dropped(tmp_path):
    r = once(tmp_path, shell("yes | head -c 3000000; echo the end >&2; exit 4", output_max="1KiB"), 1)
    assert len(r["measured"]["OUTPUT"]) == 1023 and r["detail"] == "exit status 4: the end"


def test_limits(tmp_path):
    r = once(tmp_path, shell("ulimit -v; ulimit -c; ulimit -n; ls /proc/self/fd; readlink /proc/self/fd/0",
                             memory="64MiB"))
    assert r["measured"]["OUTPUT"].split() == ["65536", "0", "1024", "0", "1", "2", "3", "/dev/null"]
    r = once(tmp_path, {**shell("while :; do :; done", cpu="1s"), "timeout": "30s"}, 1)
    assert r["fault"] == "exit_status" and r["detail"].startswith("ended by signal")
    program = [sys.executable, "-c", "x = bytearray(400 << 20)"]
    r = once(tmp_path, {"exec": {"run": program, "memory": "200MiB"}}, 1)
    assert "MemoryError" in r["detail"]


def test_a_file_after_the_other(tmp_path):
    for name, code in (("b 2.sh", 5), ("a.sh", 0), ("c.sh", 0)):
        (tmp_path / name).write_text(f"echo played {name}; exit {code}\n")
    r = once(tmp_path, {"exec": {"run": ["/bin/sh", "./%s"], "directory": str(tmp_path), "tasks": "*.sh"}}, 1)
    assert r["measured"]["OUTPUT"].splitlines() == ["played a.sh", "played b 2.sh", "played c.sh"]
    assert r["detail"] == "b 2.sh: exit status 5: played b 2.sh" and r["measured"]["EXIT_STATUS"] == 5


# --- nothing survives ---


def test_the_deadline_ends_all_it_started(tmp_path):
    mark = seconds(1)
    script = f"trap '' TERM; sleep {mark} & setsid sleep {mark} & (setsid sh -c 'sleep {mark} & sleep {mark}' &) ; " \
             f"sleep {mark}; sleep {mark}"
    r = once(tmp_path, {**shell(script), "timeout": "1s"}, 1)
    assert r["fault"] == "timeout", r
    until(lambda: not processes(mark), "all of it has gone", 20)


def test_what_it_leaves_behind_is_ended(tmp_path):
    mark = seconds(2)
    r = once(tmp_path, shell(f"sleep {mark} & setsid sleep {mark} & pwd"))
    assert not processes(mark)
    assert not os.path.exists(r["measured"]["OUTPUT"])  # its home


def test_kill_9_of_the_house(tmp_path):
    mark = seconds(3)
    probe = {"name": "p", **shell(f"pwd > {tmp_path}/home; setsid sleep {mark} & sleep {mark}"), "timeout": "50s",
             "every": "60s"}
    with house(tmp_path, probe) as run:
        until(lambda: len(processes(mark)) == 2, "the program runs")
        left = below(run.process.pid)
        run.kill()
        until(lambda: not processes(mark), "the program has gone", 20)
        until(lambda: not any(os.path.exists(f"/proc/{p}") for p in left), "helper and minder have gone", 20)
        assert not os.path.exists((tmp_path / "home").read_text().strip())


def test_a_stop_waits_for_the_end_of_programs(tmp_path):
    mark = seconds(4)
    with house(tmp_path, {"name": "p", **shell(f"sleep {mark}"), "timeout": "50s", "every": "60s"}) as run:
        until(lambda: processes(mark), "the program runs")
        assert run.stop() == 0 and not processes(mark)


def test_helper_and_minder_may_be_killed(tmp_path):
    mark = seconds(5)
    slow = {"name": "slow", **shell(f"pwd > {tmp_path}/home; setsid sleep {mark} & sleep {mark}"), "timeout": "50s",
            "every": "60s"}
    with house(tmp_path, slow, {"name": "quick", **shell(f"echo run >> {tmp_path}/runs")}) as run:
        until(lambda: len(processes(mark)) == 2, "the program runs")
        before = helper(run)
        minder = next(p for p in below(before) if set(processes(mark)) & set(below(p)))
        os.kill(minder, signal.SIGKILL)
        until(lambda: not processes(mark), "what it minded has gone with it", 20)
        until(lambda: not os.path.exists((tmp_path / "home").read_text().strip()), "its home has gone too", 20)
        os.kill(before, signal.SIGKILL)
        until(lambda: "the helper that starts programs has died; it is started again" in run.stderr(), "it is told")
        until(lambda: helper(run) not in (before, None), "another one is there")
        n = len(lines(tmp_path))
        until(lambda: len(lines(tmp_path)) > n + 1, "programs run again")


def test_a_reload_ends_what_is_no_more(tmp_path):
    mark = seconds(6)
    slow = {"name": "p", **shell(f"sleep {mark}"), "timeout": "50s", "every": "60s"}
    with house(tmp_path, slow) as run:
        until(lambda: processes(mark), "the program runs")
        run.write({"clouds": {}, "probes": [{"name": "p", **shell(f"echo new >> {tmp_path}/runs"), "every": "1s"}]})
        run.signal(signal.SIGHUP)
        until(lambda: "new" in lines(tmp_path), "the new one runs")
        until(lambda: not processes(mark), "the old one has gone", 20)


def test_reloads_leave_the_place_as_it_is(tmp_path):
    """Where an instance stands is what the first configuration says, also when nothing else of that one is left."""
    def told(name):
        return {"name": name, "every": "1s", "timeout": "1s", **shell(f"echo $STATSD_PREFIX >> {tmp_path}/runs")}

    ports = free_ports(4)
    listen = [{**LOOPBACK, "statsd": f"127.0.0.1:{port}"} for port in ports]
    with house(tmp_path, told("p0"), location="far-away", listen=listen[0]) as run:
        until(lambda: lines(tmp_path), "it runs")
        for i in range(1, len(ports)):
            run.write({"clouds": {}, "probes": [told(f"p{i}")], "location": "far-away", "listen": listen[i]})
            run.signal(signal.SIGHUP)
            until(lambda i=i: f"openstack.api.p{i}.far-away" in lines(tmp_path), "the next one runs, from the same place", 20)
        assert {line.rpartition(".")[2] for line in lines(tmp_path)} == {"far-away"}


# --- what it may see ---


def test_the_environment_is_clean(tmp_path):
    mark = seconds(7)
    seen = {"name": "seen", "exec": {"run": "/usr/bin/env", "env": {"MINE": "yes", "LANG": "de_DE.UTF-8"}},
            "expect": ["[OUTPUT] == re(MINE=yes)"]}
    r = once(tmp_path, {k: v for k, v in seen.items() if k != "name"})
    env = dict(line.split("=", 1) for line in r["measured"]["OUTPUT"].splitlines())
    assert set(env) == {"PATH", "LANG", "HOME", "TMPDIR", "MINE", "STATSD_PREFIX", "TASK_EXECUTOR_JOB_ID",
                        "APIMON_PROFILER_MESSAGE_SOCKET"}
    assert env["LANG"] == "de_DE.UTF-8" and env["HOME"].startswith("/tmp/glasshouse-")
    assert len(env["TASK_EXECUTOR_JOB_ID"]) == 32
    push = {"name": "beat", "push": {"token": "env:PUSH"}, "every": "60s"}
    slow = {"name": "slow", **shell(f"sleep {mark}", env={"OWN": "env:HEADER"}), "timeout": "50s", "every": "60s"}
    with house(tmp_path, slow, push) as run:
        until(lambda: processes(mark), "the program runs")
        first = helper(run)
        for pid in [first, *below(first)]:
            environ = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
            assert b"a-token-of-a-probe" not in environ
            if pid not in processes(mark) and "sh" not in pathlib.Path(f"/proc/{pid}/comm").read_text():
                assert environ == b""
        # what it is given to run stays in no memory but the program's own
        for pid in [first, *below(first)]:
            if "program-" in pathlib.Path(f"/proc/{pid}/comm").read_text():
                assert b"let-me-in" not in memory(pid)


def memory(pid):
    """The writable memory of a process."""
    found = b""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
        for line in maps:
            span, rights = line.split()[:2]
            begin, end = (int(x, 16) for x in span.split("-"))
            if rights.startswith("rw") and "[v" not in line and end - begin < 1 << 28:  # the shadow of a sanitizer
                mem.seek(begin)
                found += mem.read(end - begin)
    return found


@pytest.mark.skipif(os.getuid() != 0, reason="takes the rights of another user")
def test_a_program_cannot_look_into_the_house():
    """Of the same user, who is not root."""
    with tempfile.TemporaryDirectory() as place:
        os.chown(place, 65534, 65534)
        os.chmod(place, 0o700)
        script = "for p in /proc/[0-9]*; do cat $p/environ 2>/dev/null | tr '\\0' '\\n'; done; echo looked"
        run = Run(Place(place), {"clouds": {}, "probes": [
            {"name": "look", **shell(f"{{ {script}; }} > {place}/seen.new; mv {place}/seen.new {place}/seen"),
             "every": "60s", "timeout": "50s"}]}, start=False)
        run.command = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", *run.command]
        os.chmod(run.path, 0o644)
        try:
            run.start()
            until(lambda: os.path.exists(f"{place}/seen"), "it has looked")
            seen = pathlib.Path(f"{place}/seen").read_text(errors="replace")
            assert "TASK_EXECUTOR_JOB_ID" in seen and "looked" in seen  # it can see itself
            assert "a-token-of-a-probe" not in seen
            # and the helper can still be started again
            before = helper(run)
            os.kill(before, signal.SIGKILL)
            until(lambda: helper(run) not in (before, None), "another one is there")
        finally:
            run.close()


# --- git ---


def git(path, *args):
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *args], cwd=path, check=True,
                   capture_output=True, timeout=60)


def commit(repository, text):
    (repository / "play").mkdir(exist_ok=True)
    (repository / "play/scenario1.sh").write_text(text)
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "x")


def test_a_working_copy_is_pulled(tmp_path):
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "-q", "-b", "main")
    commit(repository, "echo first\n")
    probe = {"name": "p", "every": "60s", "timeout": "50s",
             "exec": {"run": "/bin/sh %s", "git": f"file://{repository}", "branch": "main", "tasks": "play/scenario*.sh"}}
    file = tmp_path / "c.yaml"
    file.write_text(json.dumps({"clouds": {}, "store": f"sqlite:{tmp_path}/s", "probes": [probe]}))

    def played():
        out = subprocess.run([GLASSHOUSE, "try", "p", "-c", str(file), "--json"],
                             env=Place(tmp_path).environment(), capture_output=True, text=True, timeout=120, check=False)
        return json.loads(out.stdout)
    assert played()["measured"]["OUTPUT"] == "first"
    commit(repository, "echo second\n")
    r = played()
    assert r["measured"]["OUTPUT"] == "second" and not r["warned"]
    os.rename(repository, tmp_path / "elsewhere")
    r = played()
    assert r["fault"] == "none" and r["warned"] and r["measured"]["OUTPUT"] == "second"
    assert r["detail"].startswith("the working copy could not be pulled: ")
    subprocess.run(["rm", "-rf", f"{tmp_path}/s/exec.try"], check=True, timeout=60)
    r = played()
    assert r["fault"] == "local" and r["detail"].startswith("no working copy: ") and "repository" in r["detail"], r


def test_a_repository_that_hangs_takes_half_of_the_time(tmp_path):
    """The old copy is played all the same."""
    repository = tmp_path / "repository"
    repository.mkdir()
    git(repository, "init", "-q", "-b", "main")
    commit(repository, "echo first\n")
    file = tmp_path / "c.yaml"

    def played(address, timeout):
        probe = {"name": "p", "every": "60s", "timeout": timeout,
                 "exec": {"run": "/bin/sh", "git": address, "tasks": "play/*.sh"}}
        file.write_text(json.dumps({"clouds": {}, "store": f"sqlite:{tmp_path}/s", "probes": [probe]}))
        out = subprocess.run([GLASSHOUSE, "try", "p", "-c", str(file), "--json"],
                             env=Place(tmp_path).environment(), capture_output=True, text=True, timeout=120, check=False)
        return json.loads(out.stdout)
    played(f"file://{repository}", "50s")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        r = played(f"git://127.0.0.1:{silent.getsockname()[1]}/x", "6s")
    assert r["fault"] == "none" and r["warned"] and r["measured"]["OUTPUT"] == "first", r
    assert "still running at its deadline" in r["detail"], r


# --- what programs report ---


def test_an_sdk_program_reports_into_our_statsd(tmp_path):
    script = tmp_path / "list.py"
    script.write_text("import openstack\ncloud = openstack.connect()\n"
                      "print(len(list(cloud.compute.flavors())), 'flavors')\n")
    with simulated() as sim:
        env = sim.environment()
        probe = {"name": "sdk", "every": "20s", "timeout": "19s", "exec": {
            "run": ["/usr/bin/python3", str(script)],
            "env": {"OS_CLOUD": "sim", "OS_CLIENT_CONFIG_FILE": env["OS_CLIENT_CONFIG_FILE"]}}}
        with house(tmp_path, probe, cloud=sim, listen={**LOOPBACK, "statsd": "127.0.0.1:0"}) as run:
            name = "stats.counters.openstack.api.sim.here.compute.GET.flavors*"
            until(lambda: any(k.endswith(".attempted") for k in series(run, name)), "its calls are there", 120)
            timers = series(run, "stats.timers.openstack.api.sim.here.*")
            assert any("compute.GET.flavors" in k for k in timers), timers


CALLBACK = '''
import json, os, socket, time
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "tell"

    def tell(self, **message):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.connect(os.environ["APIMON_PROFILER_MESSAGE_SOCKET"])
            s.sendall(json.dumps(message).encode() + b"\\n")

    def ended(self, result, code):
        self.results = getattr(self, "results", []) + [code]
        self.tell(__type="ansible_profile_task", name=result._task.get_name(), result=code, duration=12,
                  action=result._task.action, anonymized_response=str(result._result.get("msg", "")))
        for tag in result._task.tags:
            if tag.startswith("metric="):
                self.tell(__type="metric", name=tag[7:], value=12, metric_type="ms", az="az.1",
                          name_suffix="passed" if code == 0 else "failed")

    def v2_runner_on_ok(self, result):
        self.ended(result, 0)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.ended(result, 2 if ignore_errors else 3)

    def v2_playbook_on_stats(self, stats):
        n = [self.results.count(code) for code in range(4)]
        self.tell(__type="ansible_profile_summary", name="play", result=3 if n[3] else 0, duration=30,
                  count_passed=n[0], count_skipped=n[1], count_ignored=n[2], count_failed=n[3])
'''

PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Make a thing
      command: "true"
      tags: [metric=make_thing]
    - name: Ask in vain
      command: "false"
      ignore_errors: true
    - name: Look at it
      fail: {msg: "the thing is not there"}
      when: broken | default(%s)
      tags: [metric=look]
"""


def test_playbooks_run_unmodified(tmp_path):
    project = tmp_path / "project"
    (project / "playbooks").mkdir(parents=True)
    (project / "callback").mkdir()
    (project / "inventory/testing").mkdir(parents=True)
    (project / "inventory/testing/hosts").write_text(
        "localhost ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n")
    (project / "callback/tell.py").write_text(CALLBACK)
    (project / "ansible.cfg").write_text("[defaults]\ncallback_plugins = ./callback\ncallbacks_enabled = tell\n")
    (project / "playbooks/scenario1_good.yaml").write_text(PLAYBOOK % "false")
    (project / "playbooks/scenario2_bad.yaml").write_text(PLAYBOOK % "true")
    (project / "playbooks/_scenario3_off.yaml").write_text("nonsense")
    probe = {"name": "tests", "every": "100s", "timeout": "90s", "tries": 1, "component": "Playbooks", "exec": {
        "run": "ansible-playbook -i inventory/testing %s -v", "directory": str(project),
        "tasks": "playbooks/scenario*.yaml", "statsd": "openstack.api.prod.zone1"}}
    r = once(tmp_path, {k: v for k, v in probe.items() if k != "name"}, 1)
    assert r["fault"] == "exit_status", r
    assert r["detail"] == ('playbooks/scenario2_bad.yaml: exit status 2: task "Look at it" (fail) failed: '
                           'the thing is not there')
    assert [r["measured"]["TASKS_" + k] for k in ("PASSED", "FAILED", "IGNORED", "SKIPPED")] == [2, 1, 2, 0]
    with house(tmp_path, probe) as run:
        base = "apimon.metric.prod.zone1"
        until(lambda: series(run, f"stats.counters.{base}.look.*"), "metrics of the second one", 120)
        counters, timers = series(run, f"stats.counters.{base}.*"), series(run, f"stats.timers.{base}.*")
        assert {f"stats.counters.{base}.make_thing.az_1.attempted", f"stats.counters.{base}.make_thing.az_1.passed",
                f"stats.counters.{base}.look.az_1.attempted", f"stats.counters.{base}.look.az_1.failed"} <= set(counters)
        assert set(timers) == {f"stats.timers.{base}.make_thing.az_1.passed", f"stats.timers.{base}.look.az_1.failed"}
        made = timers[f"stats.timers.{base}.make_thing.az_1.passed"]
        assert sum(p["n"] for p in made) == 2, made
        checks = series(run, "check*")
        assert {(k, p["n"], p["ok"]) for k, points in checks.items() for p in points} == {
            ('check{check="tests command",cloud=""}', 4, 2), ('check{check="tests fail",cloud=""}', 1, 0)}, checks
