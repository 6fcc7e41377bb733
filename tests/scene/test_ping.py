"""`ping` with several targets. A cloud's `reach` turns an echo into a TCP connection on loopback, so that who answers
can be chosen here: 192.0.2.1 does, 192.0.2.2 and 192.0.2.3 do not."""
import json
import re
import socket
import threading

import pytest

from serve import run, serve


@pytest.fixture
def cloud(tmp_path):
    listener = socket.create_server(("127.0.7.1", 0))
    port = listener.getsockname()[1]

    def answer():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            peer.close()
    threading.Thread(target=answer, daemon=True).start()
    with serve(speed=50) as served:
        with open(served.clouds, encoding="utf-8") as f:
            text = f.read()
        with open(served.clouds, "w", encoding="utf-8") as f:
            f.write(re.sub(r"reach: .*", f"reach: {{network: 192.0.2.0/24, map: 127.0.7.0/24, ping: {port}}}", text))
        yield served
    listener.close()


def attempt(cloud, path, step):
    file = path / "ping.yaml"
    file.write_text("scenario: p\nchecks:\n  p: " + step + "\n")
    out = run(path, "try", str(file), "--json", "--state", str(path / "state"), clouds=cloud.clouds)
    return json.loads(out.stdout.splitlines()[-1])["steps"][0]


@pytest.mark.parametrize("step,address", [
    ("{ping: 192.0.2.1}", "127.0.7.1"),
    ("{ping: {to: [192.0.2.1, 192.0.2.2], any: true}}", "127.0.7.1"),
    ("{ping: {to: [192.0.2.2, 192.0.2.3, 192.0.2.1], any: true}}", "127.0.7.1"),
    ("{ping: {to: [192.0.2.2, 192.0.2.3], any: true}, must_fail: [timeout]}", "127.0.7.3"),
    ("{ping: 192.0.2.2, must_fail: [timeout]}", "127.0.7.2"),
])
def test_who_answers(step, address, cloud, tmp_path):
    row = attempt(cloud, tmp_path, step)
    assert row["state"] == "ready", row
    assert address in row["measured"]["ADDRESS"]


@pytest.mark.parametrize("step,fault,part", [
    ("{ping: {to: [192.0.2.2, 192.0.2.3], any: true}, timeout: 1s}", "timeout", ""),
    ("{ping: {to: [192.0.2.2, 192.0.2.1]}}", "evaluation", "any: true"),
    ("{ping: {to: [], any: true}}", "evaluation", "needs `to`"),
    ("{ping: {to: 192.0.2.1, source: 192.0.2.9}}", "evaluation", "goes with `from`"),
    ("{tcp: {to: 192.0.2.1}}", "evaluation", "HOST:PORT"),
])
def test_refused(step, fault, part, cloud, tmp_path):
    row = attempt(cloud, tmp_path, step)
    assert row["state"] == "failed" and row["fault"] == fault and part in row["detail"], row
