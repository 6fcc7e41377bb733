"""Debian's graphite-web on a free port of loopback, over whisper files of its own; nothing of its service is used.

As a program (`python3 graphite_web.py DIRECTORY`) it is the server: it prints its port and serves until it is ended.
"""
import json
import os
import select
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

SETTINGS = """
import os
from graphite.settings import *
STORAGE_DIR = os.environ["GRAPHITE_TEST_DIR"]
WHISPER_DIR = os.path.join(STORAGE_DIR, "whisper")
STANDARD_DIRS = [WHISPER_DIR]
INDEX_FILE = os.path.join(STORAGE_DIR, "index")
WHITELIST_FILE = os.path.join(STORAGE_DIR, "whitelist")
LOG_DIR = STORAGE_DIR
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(STORAGE_DIR, "web.db")}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
DEFAULT_CACHE_DURATION = 0
TAGDB_CACHE_DURATION = 0
FIND_CACHE_DURATION = 0
CARBONLINK_HOSTS = []
TIME_ZONE = "UTC"
SECRET_KEY = "of a test"
ALLOWED_HOSTS = ["*"]
DEBUG = False
"""


def serve(place):
    """Until it is ended."""
    os.environ["GRAPHITE_TEST_DIR"] = place
    os.environ["DJANGO_SETTINGS_MODULE"] = "graphite_test_settings"
    sys.path.insert(0, place)
    import django
    django.setup()
    from django.core.management import call_command
    call_command("migrate", verbosity=0, run_syncdb=True)
    from django.core.wsgi import get_wsgi_application
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_):
            pass

    server = WSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(get_wsgi_application())
    print(server.server_port, flush=True)
    server.serve_forever()


class GraphiteWeb:
    """Use as a context manager."""

    def __init__(self):
        self.place = tempfile.mkdtemp(prefix="graphite-web-")
        os.mkdir(os.path.join(self.place, "whisper"))
        with open(os.path.join(self.place, "graphite_test_settings.py"), "w", encoding="utf-8") as f:
            f.write(SETTINGS)
        self.error = open(os.path.join(self.place, "err"), "wb")
        self.process = subprocess.Popen([sys.executable, __file__, self.place], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.error, text=True)
        ready, _, _ = select.select([self.process.stdout], [], [], 60)
        port = self.process.stdout.readline().strip() if ready else ""
        if not port:
            with open(self.error.name, encoding="utf-8") as f:
                said = f.read()
            self.close()
            raise RuntimeError(f"graphite-web did not start: {said}")
        self.url = f"http://127.0.0.1:{port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.error.close()
        subprocess.run(["rm", "-rf", self.place], check=True)

    def write(self, path, step, points):
        """A whisper file with one archive of two days; points: [(time, value)]."""
        import whisper
        tagged = ";" in path
        if tagged:
            from hashlib import sha256
            digest = sha256(path.encode()).hexdigest()
            parts = ["_tagged", digest[:3], digest[3:6], path.replace(".", "_DOT_")]
        else:
            parts = path.split(".")
        name = os.path.join(self.place, "whisper", *parts) + ".wsp"
        os.makedirs(os.path.dirname(name), exist_ok=True)
        whisper.create(name, [(step, 2 * 86400 // step)], 0, "average")
        whisper.update_many(name, points)
        if tagged:
            urllib.request.urlopen(self.url + "/tags/tagSeries", urllib.parse.urlencode({"path": path}).encode(),
                                   timeout=20).close()


def render(base, target, **more):
    """(status, answer) of /render?format=json; the text when it is not 200."""
    pairs = [("format", "json"), ("noCache", "1"), *more.items()]
    pairs += [("target", t) for t in ([target] if isinstance(target, str) else target)]
    try:
        with urllib.request.urlopen(base + "/render?" + urllib.parse.urlencode(pairs), timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


if __name__ == "__main__":
    serve(sys.argv[1])
