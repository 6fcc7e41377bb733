"""The program with nothing of our own environment but PATH, for tests that choose every option themselves."""
import contextlib
import os
import socket
import subprocess
import threading

from simulated import GLASSHOUSE, ROOT, Simulated

DEADLINE_S = 120


@contextlib.contextmanager
def refusing():
    """A port that refuses: bound, so that no server of another test gets it, and not listening."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextlib.contextmanager
def serve(*args, speed=1):
    """A simulated cloud for as long as a `with` lasts; it ends well."""
    with Simulated(speed=speed, args=args) as cloud:
        yield cloud
        cloud.process.terminate()
        assert cloud.process.wait(DEADLINE_S) == 0


def run(path, *args, clouds=None, cloud="sim", cwd=ROOT, **more):
    environment = {"PATH": os.environ["PATH"], "HOME": str(path), "OS_CLOUD": cloud,
                   "GLASSHOUSE_SCENARIOS": os.path.join(ROOT, "scenarios")}
    if clouds:
        environment["OS_CLIENT_CONFIG_FILE"] = str(clouds)
    return subprocess.run([GLASSHOUSE, *args], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=DEADLINE_S, **more)


@contextlib.contextmanager
def deaf():
    """The port of a server that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        kept = []

        def take():
            with contextlib.suppress(OSError):
                while True:
                    kept.append(listener.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        yield listener.getsockname()[1]
        for connection in kept:
            connection.close()
