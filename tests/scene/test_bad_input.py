"""Bad input: exit code 2, the place and what to do on stderr, nothing sent.

A listener stands where the cloud would be and counts connections.
"""
import os
import resource
import socket
import subprocess
import threading

import pytest

GLASSHOUSE = os.environ.get("GLASSHOUSE", "build/src/glasshouse")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Listener:
    """Accepts and counts; answers nothing."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.count = 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            self.count += 1
            peer.close()


@pytest.fixture
def listener():
    found = Listener()
    yield found
    found.socket.close()


def clouds(path, text):
    file = path / "clouds.yaml"
    file.write_text(text)
    return file


def good_clouds(path, port):
    return clouds(path, f"""clouds:
  here:
    auth: {{auth_url: "http://127.0.0.1:{port}/v3", username: u, password: secret-pass, project_name: p}}
""")


def run(path, *args, file=None, env=None, **more):
    environment = {"PATH": os.environ["PATH"], "HOME": str(path), **(env or {})}
    if file:
        environment["OS_CLIENT_CONFIG_FILE"] = str(file)
    return subprocess.run([GLASSHOUSE, *args], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, **more)


SCENARIOS = {
    "unknown reference": ("scenario: x\nresources:\n  a: {network: {name: \"${nte.id}-${run}\"}}\n  net: {network: {}}\n",
                          3, "did you mean \"net\"?"),
    "cycle": ("scenario: x\nresources:\n  a: {network: {description: \"${b}\"}}\n  b: {network: {description: \"${a}\"}}\n",
              3, "wait for each other"),
    "unknown kind": ("scenario: x\nresources:\n  a: {netwrok: {}}\n", 3, "did you mean \"network\"?"),
    "unknown key": ("scenario: x\nresources:\n  a: {network: {}, timeuot: 5s}\n", 3, "did you mean \"timeout\"?"),
    "wrong type": ("scenario: x\nresources:\n  a: {network: [1]}\n", 3, "map"),
    "bad duration": ("scenario: x\nresources:\n  a: {network: {}, timeout: 5}\n", 3, "unit"),
    "two verbs": ("scenario: x\nresources:\n  a: {network: {}, subnet: {}}\n", 3, "two verbs"),
    "later verb": ("scenario: x\nchecks:\n  a: {mesh: {}}\n", 3, "mesh"),
    "broken yaml": ("scenario: x\nresources:\n  a: {network: {\n", None, ""),
    "billion laughs": ("a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [" + ",".join([f"*{chr(97 + i)}"] * 10) + "]\n" for i in range(9)),
        4, "10000"),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name, tmp_path, listener):
    text, line, part = SCENARIOS[name]
    file = tmp_path / "s.yaml"
    file.write_text(text)
    out = run(tmp_path, "try", str(file), "--state", str(tmp_path / "state"),
              file=good_clouds(tmp_path, listener.port))
    assert out.returncode == 2, out.stderr
    assert (f"s.yaml:{line}:" if line else "s.yaml:") in out.stderr, out.stderr
    assert part in out.stderr, out.stderr
    assert listener.count == 0


def test_every_error_in_one_pass(tmp_path, listener):
    file = tmp_path / "s.yaml"
    file.write_text("scenario: x\nresources:\n  a: {netwrok: {}}\n  b: {network: {}, timeout: 5}\n")
    out = run(tmp_path, "try", str(file), "--state", str(tmp_path / "state"),
              file=good_clouds(tmp_path, listener.port))
    assert "s.yaml:3:" in out.stderr and "s.yaml:4:" in out.stderr


def test_ten_megabytes(tmp_path, listener):
    file = tmp_path / "s.yaml"
    file.write_text("scenario: x\n" + "# padding that goes on and on\n" * 350000)
    out = run(tmp_path, "try", str(file), "--state", str(tmp_path / "state"),
              file=good_clouds(tmp_path, listener.port))
    assert out.returncode == 2 and "1 MiB" in out.stderr


@pytest.mark.parametrize("text,part", [
    ("clouds: {here: {auth: {auth_url: 5, username: u\n", "clouds.yaml:"),
    ("clouds:\n  here:\n    auth: {username: u, password: p}\n", "auth_url is missing"),
    ("clouds:\n  here:\n    auth: {auth_url: 'http://127.0.0.1:1', username: u}\n", "password"),
    ("clouds:\n  here:\n    auth_type: kerberos\n    auth: {auth_url: 'http://127.0.0.1:1'}\n", "kerberos"),
    ("clouds:\n  hera: {}\n  other: {}\n", "did you mean \"hera\"?"),
    ("clouds:\n  here:\n    cacert: /nowhere.pem\n    auth: {auth_url: 'http://127.0.0.1:1', username: u, password: p}\n",
     "/nowhere.pem"),
])
def test_clouds_yaml(text, part, tmp_path):
    out = run(tmp_path, "try", "network-basics", "--cloud", "here", "--state", str(tmp_path / "state"),
              file=clouds(tmp_path, text))
    assert out.returncode == 2
    assert part in out.stderr, out.stderr


def test_unreachable_cloud(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    out = run(tmp_path, "try", "network-basics", "--state", str(tmp_path / "state"),
              file=good_clouds(tmp_path, port))
    assert out.returncode == 2
    assert "cannot be reached" in out.stdout + out.stderr and "refused" in out.stdout + out.stderr
    assert "secret-pass" not in out.stdout + out.stderr


def test_unwritable_state(tmp_path, listener):
    place = tmp_path / "file"
    place.write_text("")
    out = run(tmp_path, "try", "network-basics", "--state", str(place / "state"),
              file=good_clouds(tmp_path, listener.port))
    assert out.returncode == 2
    assert "--state" in out.stderr, out.stderr
    assert listener.count == 0


def test_full_disk(tmp_path, listener):
    """A file size limit stands for a full disk: the journal cannot be made."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        import signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    out = run(tmp_path, "try", "network-basics", "--state", str(tmp_path / "state"),
              file=good_clouds(tmp_path, listener.port), preexec_fn=limit)
    assert out.returncode == 2
    assert "facts.db" in out.stderr, out.stderr
    assert listener.count == 0


@pytest.mark.parametrize("args", [["nonsense"], ["try"], ["try", "a", "b"], ["try", "x", "--runs", "none"],
                                  ["sweep", "--older", "soon"], ["try", "x", "--inflight", "0"]])
def test_arguments(args, tmp_path):
    out = run(tmp_path, *args)
    assert out.returncode == 2 and out.stderr


@pytest.mark.parametrize("command", ["try", "plan", "sweep", "ledger"])
def test_help(command, tmp_path):
    out = run(tmp_path, command, "--help")
    assert out.returncode == 0 and "example:" in out.stdout
