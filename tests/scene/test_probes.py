"""The user's own probes: real servers asked, what is judged and shown of them, one run with `try`, the reload."""
import contextlib
import http.server
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading

import pytest

from running import Run, until
from serve import ROOT, refusing, run

KINDS = os.path.join(ROOT, "src/observe/probe")


class Place:
    """What a simulated cloud is to a Run, without one."""

    def __init__(self, path):
        self.place = str(path)

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": self.place, "PUSH": "a-token-of-a-probe", "HEADER": "Bearer let-me-in"}


@contextlib.contextmanager
def running(path, probes, **more):
    r = Run(Place(path), {"clouds": {}, "probes": probes, **more})
    try:
        yield r
    finally:
        r.close()


class Web:
    """A web server that does what a test says: path -> (status, headers, body); it keeps what it was asked."""

    def __init__(self, certificate=None, family=socket.AF_INET, pages=None):
        pages = self.pages = {} if pages is None else pages
        asked = self.asked = []

        class Server(http.server.ThreadingHTTPServer):
            address_family = family
            daemon_threads = True

            def handle_error(self, *_):
                pass

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(handler):
                body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
                asked.append((handler.command, handler.path, dict(handler.headers), body))
                status, headers, out = pages.get(handler.path, (200, {}, b"fine\n"))
                handler.send_response(status)
                for name, value in headers.items():
                    handler.send_header(name, value)
                handler.send_header("Content-Length", str(len(out)))
                handler.end_headers()
                if handler.command != "HEAD":
                    handler.wfile.write(out)

            do_GET = do_POST = do_HEAD = do_PUT = answer

            def log_message(handler, *_):
                pass

        self.server = Server(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate[:2])
            if len(certificate) > 2:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(certificate[2])
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"http{'s' if certificate else ''}://{'localhost' if certificate else '127.0.0.1'}:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def make_certificate(path, days=30, name="localhost"):
    cert, key = str(path / f"{name}.pem"), str(path / f"{name}.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    str(days), "-keyout", key, "-out", cert, "-subj", f"/CN={name}", "-addext",
                    f"subjectAltName=DNS:{name}"], check=True, capture_output=True, timeout=60)
    return cert, key


def once(path, probe, code=0, environment=None):
    """One run by `try`: the JSON of each family."""
    file = path / "probes.yaml"
    file.write_text(json.dumps({"probes": [{"name": "p", **probe}]}))
    env = {**Place(path).environment(), **(environment or {})}
    out = subprocess.run([os.environ.get("GLASSHOUSE", os.path.join(ROOT, "build/src/glasshouse")), "try", "p", "-c",
                          str(file), "--json"], env=env, cwd=path, capture_output=True, text=True, timeout=60, check=False)
    assert out.returncode == code, (out.returncode, out.stdout, out.stderr)
    lines = [json.loads(line) for line in out.stdout.splitlines()]
    return lines[0] if len(lines) == 1 else lines


# --- http, one run ---


def test_conditions_on_an_answer(tmp_path):
    with Web() as web:
        body = json.dumps({"data": {"items": [{"id": 7, "name": "a b"}]}, "status": "UP"}).encode()
        web.pages["/x"] = (200, {"Content-Type": "application/json"}, body)
        r = once(tmp_path, {"http": web.url + "/x", "expect": [
            "[STATUS] == 200", "[CONNECTED] == true", "[RESPONSE_TIME] < 20s", "[IP] == 127.0.0.1", "[TRIES] == 1",
            "[BODY].status == UP", "[BODY].data.items[0].id == 7", "len([BODY].data.items) == 1",
            "has([BODY].data.none) == false", "[BODY].data.items[0].name == pat(a*)", f"[SIZE] == {len(body)}B",
            "[HEADER].content-type == re(^application/json$)", "[REDIRECTS] == 0", "[VERSION] == 1.1",
            "[STATUS] == any(200, 204)"]})
        assert r["fault"] == "none" and all(c["ok"] for c in r["conditions"]), r["conditions"]
        assert r["measured"]["BODY"]["data"]["items"][0]["id"] == 7
        assert r["phases"]["connect_ms"] > 0 and r["phases"]["wait_ms"] > 0 and r["phases"]["tls_ms"] == 0
        r = once(tmp_path, {"http": web.url + "/x", "expect": ["[STATUS] == 200", "[BODY].status == DOWN"]}, 1)
        assert r["fault"] == "expectation"
        assert r["detail"] == "expected [BODY].status == DOWN; [BODY].status = UP"


def test_an_answer_of_another_form(tmp_path):
    """A page where a document was expected is the service's failure, and is told in whole letters."""
    with Web() as web:
        web.pages["/html"] = (200, {}, b"<html>We are sorry")
        r = once(tmp_path, {"http": web.url + "/html", "expect": ["[BODY].status == UP"]}, 1)
        assert r["fault"] == "expectation" and r["detail"] == "expected [BODY].status == UP; [BODY].status = null"
        once(tmp_path, {"http": web.url + "/html", "expect": ["has([BODY].error) == false", "[BODY].a == 1 || [STATUS] == 200"]})
        web.pages["/text"] = (200, {}, b'{"load": "much"}')
        r = once(tmp_path, {"http": web.url + "/text", "expect": ["[BODY].load < 5"]}, 1)
        assert r["fault"] == "expectation" and "< does not work between text and a number" in r["detail"]
        web.pages["/big"] = (200, {}, b'{"id": 12345678901234567890, "status": "DOWN", "status": "UP"}')
        once(tmp_path, {"http": web.url + "/big", "expect": ["[BODY].status == UP", "[BODY].id > 5"]})
        for body in (b"a" + "\u00e4".encode() * 300, b"\xe4\x1b[31m", bytes(range(256))):
            web.pages["/torn"] = (200, {}, body)
            r = once(tmp_path, {"http": web.url + "/torn", "expect": ["[BODY] == ok"]}, 1)
            assert r["conditions"][0]["saw"] in r["detail"] and "[BODY] = " in r["detail"]
            assert all(c >= " " for c in r["detail"]), r["detail"]
        web.pages["/empty"] = (200, {}, b"")
        once(tmp_path, {"http": web.url + "/empty", "expect": ['[BODY] == ""', "len([BODY]) == 0"]})


def test_a_document_is_a_text_too(tmp_path):
    """Patterns and texts are held against what was sent, not against how it would be written here."""
    with Web() as web:
        web.pages["/"] = (200, {}, b'{ "status": "UP",  "load": 1.50 }\n')
        once(tmp_path, {"http": web.url + "/", "expect": [
            '[BODY] == re("status": "UP",  "load": 1\\.50)', '[BODY] == pat(*"status": "UP"*)', "[BODY].load == 1.5",
            '[BODY] == \'{ "status": "UP",  "load": 1.50 }\'', '[BODY] != re("status":"UP")', "len([BODY]) == 2"]})
        r = once(tmp_path, {"http": web.url + "/", "expect": ["[BODY] == pat(*DOWN*)"]}, 1)
        assert r["detail"].endswith('[BODY] = { "status": "UP",  "load": 1.50 }'), r["detail"]
        web.pages["/"] = (200, {}, b"1.50")
        once(tmp_path, {"http": web.url + "/", "expect": ["[BODY] == re(^1\\.50$)", "[BODY] == 1.5", "[BODY] > 1"]})
    run = ["sh", "-c", "echo '[ 1,  2 ]'"]
    once(tmp_path, {"exec": {"run": run}, "expect": ["[BODY] == re(1,  2)", "[BODY][1] == 2"]})


def test_times_as_people_read_them(tmp_path):
    cert = make_certificate(tmp_path, days=3)
    with Web(cert) as web:
        r = once(tmp_path, {"http": {"url": web.url + "/", "ca": cert[0]}, "expect": ["[CERTIFICATE_EXPIRATION] > 240h"]}, 1)
        assert re.search(r"\[CERTIFICATE_EXPIRATION\] = 7[12]h\d\dm$", r["detail"]), r["detail"]
        out = run(tmp_path, "try", "p", "-c", "probes.yaml", cwd=tmp_path)
        assert re.search(r"(?m)^  \[CERTIFICATE_EXPIRATION\] 7[12]h\d\dm$", out.stdout), out.stdout


def test_what_is_good_without_conditions(tmp_path):
    with Web() as web:
        for status, fault in ((204, "none"), (304, "none"), (404, "not_found"), (500, "http_5xx"), (503, "unavailable")):
            web.pages["/"] = (status, {}, b"")
            assert once(tmp_path, {"http": web.url + "/"}, fault != "none")["fault"] == fault
        web.pages["/"] = (404, {}, b"")
        assert once(tmp_path, {"http": web.url + "/", "expect": "[STATUS] == 404"})["fault"] == "none"


def test_what_is_sent(tmp_path):
    (tmp_path / "password").write_text("of the user\n")
    (tmp_path / "password").chmod(0o600)
    with Web() as web:
        once(tmp_path, {"http": {"url": web.url + "/a?b=c", "body": '{"q": 1}', "headers": {
            "Content-Type": "application/json", "X-Token": "env:HEADER"}, "user": "u", "password": "file:password"}})
        method, path, headers, body = web.asked[0]
        assert (method, path, body) == ("POST", "/a?b=c", b'{"q": 1}')
        assert headers["Content-Type"] == "application/json" and headers["X-Token"] == "Bearer let-me-in"
        assert headers["Authorization"] == "Basic dTpvZiB0aGUgdXNlcg=="
        once(tmp_path, {"http": {"url": web.url + "/h", "method": "head"}, "expect": ["[STATUS] == 200", "[SIZE] == 0B"]})
        assert web.asked[1][0] == "HEAD"


def test_redirects(tmp_path):
    with Web() as web, Web() as other:
        web.pages["/1"] = (302, {"Location": "/2"}, b"")
        web.pages["/2"] = (307, {"Location": "3?x=1#part"}, b"")
        web.pages["/away"] = (302, {"Location": other.url + "/"}, b"")
        web.pages["/form"] = (303, {"Location": "/done"}, b"")
        web.pages["/loop"] = (301, {"Location": "/loop"}, b"")
        r = once(tmp_path, {"http": web.url + "/1", "expect": ["[STATUS] == 200", "[REDIRECTS] == 2"]})
        assert [a[1] for a in web.asked] == ["/1", "/2", "/3?x=1"]
        assert r["phases"]["total_ms"] >= r["phases"]["wait_ms"] + r["phases"]["connect_ms"]
        once(tmp_path, {"http": {"url": web.url + "/1", "redirects": 0}, "expect": "[STATUS] == 302"})
        r = once(tmp_path, {"http": {"url": web.url + "/1", "redirects": 1}}, 1)
        assert r["fault"] == "protocol" and "redirected more than 1 times" in r["detail"]
        r = once(tmp_path, {"http": web.url + "/loop"}, 1)
        assert r["fault"] == "protocol"
        for page, headers in (("/nowhere", {}), ("/else", {"Location": "gopher://127.0.0.1/"})):
            web.pages[page] = (302, headers, b"")
            r = once(tmp_path, {"http": web.url + page}, 1)
            assert r["fault"] == "protocol" and r["detail"] == "answered 302 without an address of http to go on to"
            once(tmp_path, {"http": {"url": web.url + page, "redirects": 0}})
            once(tmp_path, {"http": web.url + page, "expect": ["[STATUS] == 302"]})
        web.asked.clear()
        once(tmp_path, {"http": {"url": web.url + "/form", "body": "x=1"}})
        assert [(a[0], a[3]) for a in web.asked] == [("POST", b"x=1"), ("GET", b"")]
        # what is secret is told to the first origin alone
        once(tmp_path, {"http": {"url": web.url + "/away", "headers": {"X-Secret": "env:HEADER", "X-Plain": "p"}}})
        assert "X-Secret" in web.asked[-1][2]
        assert "X-Secret" not in other.asked[0][2] and other.asked[0][2]["X-Plain"] == "p"


def test_certificates(tmp_path):
    cert, key = make_certificate(tmp_path, days=20)
    with Web((cert, key)) as web:
        r = once(tmp_path, {"http": web.url + "/"}, 1)
        assert r["fault"] == "tls_authority" and not r["measured"]["CONNECTED"]
        good = {"http": {"url": web.url + "/", "ca": "localhost.pem"}}
        r = once(tmp_path, {**good, "expect": ["[CERTIFICATE_EXPIRATION] > 470h", "[CERTIFICATE_EXPIRATION] < 481h"]})
        assert r["phases"]["tls_ms"] > 0
        r = once(tmp_path, {**good, "expect": "[CERTIFICATE_EXPIRATION] > 500h"}, 1)
        assert r["fault"] == "expectation"
        r = once(tmp_path, {"http": {"url": f"https://127.0.0.1:{web.port}/", "ca": cert}}, 1)
        assert r["fault"] == "tls_name"
        once(tmp_path, {"http": {"url": f"https://127.0.0.1:{web.port}/", "verify": False}})


def test_client_certificate(tmp_path):
    server, client = make_certificate(tmp_path), make_certificate(tmp_path, name="client")
    with Web((*server, client[0])) as web:
        http = {"url": web.url + "/", "ca": server[0]}
        once(tmp_path, {"http": http}, 1)
        once(tmp_path, {"http": {**http, "cert": "client.pem", "key": "client.key"}})


def test_families(tmp_path):
    with Web(family=socket.AF_INET6) as web:
        here = {"http": f"http://localhost:{web.port}/"}
        four, six = once(tmp_path, {**here, "family": "both"}, 1)
        assert (four["probe"], four["fault"]) == ("p.ipv4", "refused")
        assert (six["probe"], six["fault"], six["address"]) == ("p.ipv6", "none", "::1")
        out = run(tmp_path, "try", "p.ipv6", "-c", "probes.yaml", cwd=tmp_path)
        assert out.returncode == 0 and out.stdout.startswith("p.ipv6: good\n") and "ipv4" not in out.stdout
        once(tmp_path, {**here, "family": "ipv6"})
        once(tmp_path, {**here, "family": "ipv4"}, 1)


def test_host_and_proxy(tmp_path):
    with Web() as web:
        r = once(tmp_path, {"http": {"url": "http://status.example.org/x", "host": f"localhost:{web.port}"}})
        assert r["address"] == "127.0.0.1" and web.asked[0][2]["Host"] == "status.example.org"
        once(tmp_path, {"http": {"url": "http://status.example.org/y", "proxy": web.url}})
        assert web.asked[1][1] == "http://status.example.org/y"
        # those of the environment are not taken
        with refusing() as port:
            once(tmp_path, {"http": web.url + "/z"}, environment={"http_proxy": f"http://127.0.0.1:{port}"})


@contextlib.contextmanager
def proxy_that(answers):
    """A proxy that says this to whatever it is asked, and nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    s, _ = server.accept()
                    with s:
                        while s.recv(4096)[-4:] not in (b"\r\n\r\n", b""):
                            pass
                        s.sendall(answers)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_a_proxy_does_is_told_with_its_name(tmp_path, scheme):
    target = f"{scheme}://status.example.org/"

    def through(port, host="127.0.0.1"):
        r = once(tmp_path, {"http": {"url": target, "proxy": f"http://{host}:{port}"}}, 1)
        return r["fault"], r["detail"].replace(f"{host} port {port}", "PROXY").replace(f"http://{host}:{port}", "PROXY")

    with refusing() as port:
        fault, detail = through(port)
        assert fault == "refused" and detail.startswith("through the proxy PROXY: cannot connect to "), detail
    _, detail = through(3128, "proxy.invalid")
    assert detail.startswith("through the proxy PROXY: cannot resolve proxy.invalid"), detail
    with proxy_that(b"") as port:
        fault, detail = through(port)
        assert fault == "connection_lost" and detail.startswith("through the proxy PROXY: "), detail
    for status in (407, 502):
        with proxy_that(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status) as port:
            fault, detail = through(port)
            if scheme == "https":
                assert fault == "connection_lost" and detail.startswith("through the proxy PROXY: "), detail
                assert str(status) in detail
            else:  # whose answer it is cannot be seen
                assert detail == f"answered {status} through the proxy PROXY"


def test_hosts_are_written_in_ascii(tmp_path):
    file = tmp_path / "probes.yaml"
    hosts = ({"http": "http://bücher.example/"}, {"http": {"url": "http://a.example/", "proxy": "http://bücher.example:1"}},
             {"http": {"url": "http://a.example/", "host": "bücher.example"}}, {"tcp": "bücher.example:80"},
             {"dns": "bücher.example"}, {"dns": {"name": "a.example", "server": "bücher.example"}},
             {"tls": {"to": "a.example:443", "name": "bücher.example"}}, {"websocket": "ws://bücher.example/"})
    file.write_text("probes:\n" + "".join("- " + json.dumps({"name": f"p{i}", **probe}, ensure_ascii=False) + "\n"
                                          for i, probe in enumerate(hosts)))
    out = run(tmp_path, "try", "p0", "-c", "probes.yaml", cwd=tmp_path)
    told = out.stderr.splitlines()
    assert out.returncode != 0 and len(told) == len(hosts), (out.stdout, out.stderr)
    for i, line in enumerate(told):
        assert re.fullmatch(rf'\S*probes.yaml:{i + 2}:\d+: probe p{i}: "bücher\.example" is no host in ASCII: '
                            r"write its xn-- form \(RFC 5891\)", line), line
    once(tmp_path, {"http": "http://xn--bcher-kva.invalid/bücher"}, 1)


def test_body_limit(tmp_path):
    with Web() as web:
        web.pages["/"] = (200, {}, b"x" * 2000)
        assert once(tmp_path, {"http": {"url": web.url + "/", "max": "1KiB"}}, 1)["fault"] == "body_too_large"
        once(tmp_path, {"http": {"url": web.url + "/", "max": "2KiB"}, "expect": "[SIZE] == 2000B"})


@contextlib.contextmanager
def counting(port):
    """A port that leads to that one, and a list with an entry for each connection that came."""
    came = []

    def pump(a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)

    def accept():
        with contextlib.suppress(OSError):
            while True:
                here, _ = door.accept()
                there = socket.create_connection(("127.0.0.1", port))
                came.append((here, there))
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=accept, daemon=True).start()
        yield door.getsockname()[1], came
        door.shutdown(socket.SHUT_RDWR)
    for pair in came:
        for s in pair:
            s.close()


def test_http2(tmp_path):
    cert, key = make_certificate(tmp_path)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    (tmp_path / "index.html").write_text("two")
    server = subprocess.Popen(["nghttpd", "--address=127.0.0.1", f"--htdocs={tmp_path}", str(port), key, cert],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: socket.create_connection(("127.0.0.1", port)), "nghttpd listens", 20)
        http = {"url": f"https://localhost:{port}/", "ca": cert}
        once(tmp_path, {"http": http, "expect": ["[VERSION] == 2", "[BODY] == two"]})
        once(tmp_path, {"http": {**http, "version": "2"}})
        with counting(port) as (through, came):
            http = {**http, "url": f"https://localhost:{through}/"}
            once(tmp_path, {"http": http, "expect": ["[VERSION] == 2", "[BODY] == two"]})
            assert len(came) == 1, "the first run makes one connection"
    finally:
        server.kill()
        server.wait()
    with Web((cert, key)) as web:
        r = once(tmp_path, {"http": {"url": web.url + "/", "ca": cert, "version": "2"}}, 1)
        assert r["fault"] == "protocol" and r["detail"] == "answered with HTTP/1.1, not HTTP/2"


def test_faults(tmp_path):
    with refusing() as port:
        url = f"http://127.0.0.1:{port}/"
        r = once(tmp_path, {"http": url, "tries": 3, "pause": "10ms"}, 1)
        assert (r["fault"], r["tries"]) == ("refused", 3)
        once(tmp_path, {"http": url, "expect": "[CONNECTED] == false"})
    with socket.socket() as hanging:
        hanging.bind(("127.0.0.1", 0))
        hanging.listen()
        r = once(tmp_path, {"http": f"http://127.0.0.1:{hanging.getsockname()[1]}/", "timeout": "300ms"}, 1)
        assert r["fault"] == "timeout" and r["detail"] == "no answer within 300ms"


def test_try_refuses(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text('probes: [{name: web, http: "http://127.0.0.1:9/"}, {name: b, push: {token: "env:NOTHING"}}]')
    out = run(tmp_path, "try", "wep", "-c", str(file))
    assert out.returncode == 2 and out.stderr == f'{file}: there is no probe "wep" in it; did you mean "web"?\n'
    out = run(tmp_path, "try", "b", "-c", str(file))
    assert out.returncode == 2 and "probe b: the environment has no NOTHING" in out.stderr
    file.write_text('probes: [{name: b, tls: {to: "a:1", ca: none.pem}}]')
    out = run(tmp_path, "config", "check", "-c", str(file))
    assert out.returncode == 1, out.stderr
    assert out.stderr == f"{file}:1:41: probe b: the file of authorities {tmp_path}/./none.pem: No such file or directory; " \
        "certificates in PEM are expected there; without a file those of the system count\n"
    file.write_text('probes: [{name: web, http: "http://127.0.0.1:9/"}]')
    out = run(tmp_path, "try", "web", "-c", str(file), "--runs", "3")
    assert out.returncode == 2 and "no option but --json" in out.stderr


def test_files_of_certificates_are_looked_at(tmp_path):
    """`config check` reads what a probe would read only when it asks, and says what is wrong with each file at its place."""
    mine, other = make_certificate(tmp_path, name="mine"), make_certificate(tmp_path, name="other")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-keyout", tmp_path / "rsa.key",
                    "-out", tmp_path / "rsa.pem", "-subj", "/CN=rsa"], check=True, capture_output=True, timeout=60)
    subprocess.run(["openssl", "pkey", "-in", mine[1], "-aes256", "-passout", "pass:x", "-out", tmp_path / "locked.key"],
                   check=True, capture_output=True, timeout=60)
    (tmp_path / "text").write_text("no PEM\n")
    os.mkfifo(tmp_path / "pipe")
    os.truncate(os.open(tmp_path / "big", os.O_CREAT | os.O_WRONLY), 9 << 20)
    both = tmp_path / "both.pem"
    both.write_bytes(b"".join(open(name, "rb").read() for name in mine))
    authorities = "certificates in PEM are expected there; without a file those of the system count"
    key = "that of our certificate is expected there in PEM; one in a file of its own has to be named"
    cert = "ours is expected there in PEM, before those that lead to its authority"
    cases = (  # the keys, and of those that are no good which, with why
        ({"ca": "none.pem"}, "ca", f"the file of authorities DIR/none.pem: No such file or directory; {authorities}"),
        ({"ca": "text"}, "ca", f"the file of authorities DIR/text: there is no certificate in PEM in it; {authorities}"),
        ({"ca": "pipe"}, "ca", f"the file of authorities DIR/pipe: it is no file; {authorities}"),
        ({"ca": "big"}, "ca", f"the file of authorities DIR/big: it is larger than 8 MiB; {authorities}"),
        ({"cert": "none.pem", "key": "mine.key"}, "cert", f"the certificate DIR/none.pem: No such file or directory; {cert}"),
        ({"cert": "text", "key": "mine.key"}, "cert", f"the certificate DIR/text: there is no certificate in PEM in it; {cert}"),
        ({"cert": "mine.pem", "key": "text"}, "key", f"the key DIR/text: there is no key in PEM in it; {key}"),
        ({"cert": "mine.pem"}, "cert", f"the key DIR/mine.pem: there is no key in PEM in it; {key}"),
        ({"cert": "mine.pem", "key": "other.key"}, "key",
         f"the key DIR/other.key: it is not the key of the certificate DIR/mine.pem; {key}"),
        ({"cert": "mine.pem", "key": "rsa.key"}, "key",
         f"the key DIR/rsa.key: it is not the key of the certificate DIR/mine.pem; {key}"),
        ({"cert": "mine.pem", "key": "locked.key"}, "key",
         "the key DIR/locked.key: it is encrypted, and nobody is there to say its passphrase (openssl pkey -in FILE -out OTHER "
         f"writes it without); {key}"),
    )
    file = tmp_path / "c.yaml"
    for kind, target in (("http", {"url": "https://x.example.org/"}), ("tls", {"to": "x.example.org:443"})):
        lines = ["probes:\n"]
        for n, (keys, _, _) in enumerate(cases):
            lines.append(f"  - {json.dumps({'name': f'p{n}', kind: {**target, **keys}})}\n")
        file.write_text("".join(lines))
        out = run(tmp_path, "config", "check", "-c", str(file), cwd=tmp_path)
        assert out.returncode == 1, out.stderr
        said = out.stderr.splitlines()
        assert len(said) == len(cases), out.stderr
        for n, (keys, wrong, why) in enumerate(cases):
            column = lines[n + 1].index(f'"{wrong}": ') + len(wrong) + 5
            assert said[n] == f"{file}:{n + 2}:{column}: probe p{n}: {why.replace('DIR', f'{tmp_path}/.')}"
        good = [{"ca": other[0], "cert": mine[0], "key": mine[1]}, {"cert": str(both)}, {"ca": str(both)}]
        file.write_text(json.dumps({"probes": [{"name": f"p{n}", kind: {**target, **keys}} for n, keys in enumerate(good)]}))
        out = run(tmp_path, "config", "check", "-c", str(file), cwd=tmp_path)
        assert (out.returncode, out.stderr) == (0, ""), out.stderr


# --- run ---


def test_watched_judged_and_shown(tmp_path):
    with Web() as web, refusing() as port:
        probes = [
            {"name": "front", "http": web.url + "/", "every": "1s", "component": "Dashboard"},
            {"name": "shop", "http": f"http://127.0.0.1:{port}/internal", "every": "1s", "component": "Shop",
             "category": "Sales"},
            {"name": "behind", "http": f"http://127.0.0.1:{port}/", "every": "1s", "component": "Behind", "after": "shop"},
            {"name": "pages", "http": web.url + "/", "every": "1s", "component": "Pages", "warn": "[SIZE] == 0B"},
            {"name": "ours", "http": web.url + "/", "every": "1s"}]
        with running(tmp_path, probes) as r:
            r.wait_health("dashboard", "operational")
            r.wait_health("shop", "outage")
            r.wait_health("behind", "unknown")
            r.wait_health("pages", "degraded")
            public, operators = r.site(), r.site(True)
            shop = next(c for c in public["components"] if c["id"] == "shop")
            assert (shop["name"], shop["category"]) == ("Shop", "Sales")
            assert {p["name"] for p in operators["probes"]} == {"front", "shop", "behind", "pages", "ours"}
            target = next(p for p in operators["probes"] if p["name"] == "shop")
            assert target["target"] == f"http://127.0.0.1:{port}/internal" and target["kind"] == "http"
            assert target["every_ms"] == 1000
            assert "internal" in r.get("/components/shop", r.intake)[2].decode()
            for path in ("/", "/components/shop", "/api/ops/v1/status.json", "/api/ops/v1/components/shop.json"):
                text = r.get(path)[2].decode()
                assert "internal" not in text and str(port) not in text, path
            assert r.stop() == 0
        assert "Traceback" not in r.stderr()


def can_ping():
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        with contextlib.suppress(PermissionError), socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP):
            return True
    return False


@pytest.mark.skipif(not can_ping(), reason="this machine allows neither ping sockets nor raw ones")
def test_pings_and_questions(tmp_path):
    with refusing() as port:
        probes = [
            {"name": "gw", "icmp": {"to": "127.0.0.1", "count": 3, "interval": "10ms"}, "every": "1s", "component": "Gateway"},
            {"name": "ns", "dns": {"name": "example.org", "server": f"127.0.0.1:{port}"}, "every": "1s",
             "component": "Names"}]
        with running(tmp_path, probes) as r:
            r.wait_health("gateway", "operational")
            r.wait_health("names", "outage")
            assert r.stop() == 0
    for name, each in (("probe.rtt", 3), ("probe.loss", 1)):
        out = run(tmp_path, "series", name + '{probe="gw"}', "--state", r.state, "--step", "1h", "--json")
        points = [json.loads(line) for line in out.stdout.splitlines()]
        assert points and all(p["n"] and p["n"] % each == 0 for p in points), out
        assert all((p["sum"] > 0) == (name == "probe.rtt") for p in points), points


def test_a_pass_after_a_retry_is_no_failure(tmp_path):
    with Web() as web:
        web.pages["/"] = (503, {}, b"")
        r = once(tmp_path, {"http": web.url + "/", "tries": 2, "pause": "10ms"}, 1)
        assert r["tries"] == 2
        timer = threading.Timer(0.5, web.pages.clear)
        timer.start()
        r = once(tmp_path, {"http": web.url + "/", "tries": 10, "pause": "200ms"})
        assert r["tries"] > 1 and re.match(r"passed at try \d of 10; before that: the service is not available", r["detail"])


@pytest.mark.parametrize("listen, says", [({"public": "none", "intake": "127.0.0.1:0"}, "operators:"),
                                          ({"public": "127.0.0.1:0", "intake": "none"}, "page:")])
def test_one_of_both_listeners(tmp_path, listen, says):
    """An outpost has no page for everybody, and needs none for operators: `none` is an address."""
    file = tmp_path / "glasshouse.yaml"
    file.write_text(json.dumps({"listen": listen, "store": f"sqlite:{tmp_path}/state",
                                "probes": [{"name": "p", "tcp": "127.0.0.1:9"}]}))
    glasshouse = os.environ.get("GLASSHOUSE", os.path.join(ROOT, "build/src/glasshouse"))
    with subprocess.Popen([glasshouse, "run", "-c", str(file)], env=Place(tmp_path).environment(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=60)
        assert line.startswith(says) and rest == "", (line, rest, errors)
        assert process.returncode == 0, errors


class ByTurns(dict):
    """Every other answer is a 503."""

    def get(self, path, *_):
        self[path] = 1 - dict.get(self, path, 0)
        return (503 if self[path] else 200, {}, b"")


def test_who_looks_sees_that_it_passes_at_a_further_try(tmp_path):
    with Web(pages=ByTurns()) as web:
        probes = [{"name": "shaky", "http": web.url + "/", "every": "1s", "tries": 2, "pause": "10ms", "component": "Shaky"}]
        with running(tmp_path, probes) as r:
            r.wait_health("shaky", "operational")

            def text():
                return next(c for c in r.site(True)["components"] if c["id"] == "shaky")["text"]

            said = until(lambda: re.fullmatch(r"shaky answers, (\d+) of the last (\d+) good runs at a further try", text()), "it is told")
            assert 0 < int(said[1]) <= int(said[2])
            shown = r.get("/components/shaky", r.intake)[2].decode()
            assert "good runs at a further try" in shown
            metrics = until(lambda: re.search(r'(?m)^glasshouse_probe_tries\{kind="http",probe="shaky"\} 2$|'
                                              r'^glasshouse_probe_tries\{probe="shaky",kind="http"\} 2$',
                                              r.get("/metrics", r.intake)[2].decode()), "two tries")
            assert metrics
            number = next(c for c in r.site(True)["components"] if c["id"] == "shaky")["evidence"]
            evidence = json.loads(r.get(f"/api/ops/v1/evidence/{number}.json")[2])
            assert evidence["sources"][0]["again"] == evidence["sources"][0]["n"] > 0
            page = r.get(f"/evidence/{number}")[2].decode()
            assert "At a further try" in page


def test_reload(tmp_path):
    with Web() as web:
        probes = [{"name": "a", "http": web.url + "/a", "every": "1s", "component": "A"},
                  {"name": "b", "http": web.url + "/b", "every": "1s", "component": "B"}]
        with running(tmp_path, probes) as r:
            r.wait_health("a", "operational")
            r.wait_health("b", "operational")
            probes[1] = {"name": "b", "http": web.url + "/b2", "every": "2s", "component": "B"}
            probes.append({"name": "c", "http": web.url + "/c", "every": "1s", "component": "C"})
            r.write({"clouds": {}, "probes": probes})
            r.signal(signal.SIGHUP)
            r.wait_health("c", "operational")
            assert r.health("b") == "operational"
            until(lambda: any(a[1] == "/b2" for a in web.asked), "the new address is asked")
            said = r.stderr()
            assert "+ probe c" in said and "~ probe b: " in said and "probe a" not in said
            r.write({"clouds": {}, "probes": [{"name": "a", "htp": "x"}]})
            r.signal(signal.SIGHUP)
            until(lambda: "unknown key" in r.stderr(), "the mistake is told")
            r.write({"clouds": {}, "probes": probes[:1]})
            r.signal(signal.SIGHUP)
            until(lambda: r.health("c") is None and r.health("b") is None, "they are gone")
            web.asked.clear()
            until(lambda: len(web.asked) > 2, "a is asked still")
            assert {a[1] for a in web.asked[1:]} == {"/a"}
            assert r.stop() == 0


def test_a_file_that_breaks_ends_nothing(tmp_path):
    """What cannot be read is said at the start and at a reload, and by the probe; what comes there later counts at once."""
    cert, key = make_certificate(tmp_path)
    ca = tmp_path / "authority.pem"
    with Web((cert, key)) as web:
        probes = [{"name": "a", "every": "1s", "component": "A", "http": {"url": web.url + "/a", "ca": str(ca)}}]
        with running(tmp_path, probes) as r:
            said = f"probe a: the file of authorities {ca}: No such file or directory"
            until(lambda: said in r.stderr(), "the start says it")
            r.wait_health("a", "unknown")
            ca.write_bytes(open(cert, "rb").read())
            r.wait_health("a", "operational")
            for broken, why in ((lambda: os.mkfifo(ca), "it is no file"), (lambda: ca.write_text("x"), "there is no certificate")):
                ca.unlink()
                broken()
                r.signal(signal.SIGHUP)
                until(lambda why=why: re.search(rf"reload: \S+:\d+:\d+: probe a: the file of authorities {ca}: {why}", r.stderr()),
                      "the reload says it")
            r.wait_health("a", "unknown")
            ca.write_bytes(open(cert, "rb").read())
            r.wait_health("a", "operational")
            for broken in ("a pipe", "no PEM"):
                ca.unlink()
                os.mkfifo(ca) if broken == "a pipe" else ca.write_text("no PEM")
                probes.append({"name": broken[-2:].strip(), "every": "1s", "component": "B", "http": web.url + "/b"})
                r.write({"clouds": {}, "probes": probes})
                r.signal(signal.SIGHUP)
                until(lambda: re.search(rf"reload: \S+:\d+:\d+: probe a: the file of authorities {ca}: "
                                        + ("it is no file" if broken == "a pipe" else "there is no certificate"), r.stderr()),
                      "the reload says it")
            r.wait_health("b", "unknown")  # it asks without our authority
            r.wait_health("a", "unknown")
            ca.write_bytes(open(cert, "rb").read())
            r.wait_health("a", "operational")
            assert r.stop() == 0


def test_secrets_are_nowhere(tmp_path):
    with Web() as web:
        probes = [{"name": "a", "http": {"url": web.url + "/", "headers": {"Authorization": "env:HEADER"}}, "every": "1s",
                   "component": "A", "expect": "[STATUS] == 201"}]
        with running(tmp_path, probes) as r:
            r.wait_health("a", "outage")
            assert web.asked[0][2]["Authorization"] == "Bearer let-me-in"
            for base in (r.page, r.intake):
                for path in ("/", "/components/a", "/api/ops/v1/status.json"):
                    assert b"let-me-in" not in r.get(path, base)[2]
            assert "let-me-in" not in r.stderr() + r.stdout()
            assert r.stop() == 0


# --- the configuration ---


def test_conf_d(tmp_path):
    (tmp_path / "conf.d").mkdir()
    file = tmp_path / "glasshouse.yaml"
    file.write_text('probes: [{name: a, http: "http://x/", every: 20s}, {name: b, http: "http://x/"}]')
    (tmp_path / "conf.d/1.yaml").write_text("probes: [{name: a, every: 5s, expect: '[STATUS] == 200'}]")
    out = run(tmp_path, "config", "show", "--json", "-c", str(file))
    assert out.returncode == 0, out.stderr
    a, b = json.loads(out.stdout)["probes"]
    assert (a["http"], a["every"], a["timeout"], a["expect"]) == ("http://x/", "5s", "5s", "[STATUS] == 200")
    assert b["every"] == "30s"
    (tmp_path / "conf.d/2.yaml").write_text("probes:\n  - {name: a, timeout: 6s}\n  - {name: a, every: 7s}")
    out = run(tmp_path, "config", "check", "-c", str(file))
    assert out.returncode == 1
    lines = out.stderr.splitlines()
    assert lines[0].startswith(f"{tmp_path}/conf.d/2.yaml:2:") and "timeout is longer than every (5s)" in lines[0]
    assert lines[1].startswith(f"{tmp_path}/conf.d/2.yaml:3:5: two probes are called \"a\"")


def test_ten_thousand(tmp_path):
    """The limit, over several files; one more is refused."""
    (tmp_path / "conf.d").mkdir()
    for i in range(10):
        (tmp_path / f"conf.d/{i}.yaml").write_text(
            "probes:\n" + "".join(f"- {{name: p{i}-{k}, http: \"http://127.0.0.1/\"}}\n" for k in range(1000)))
    file = tmp_path / "glasshouse.yaml"
    file.write_text("{}")
    out = run(tmp_path, "config", "check", "-c", str(file))
    assert out.returncode == 0 and "10000 probes" in out.stdout, out.stderr
    file.write_text('probes: [{name: more, http: "http://127.0.0.1/"}]')
    out = run(tmp_path, "config", "check", "-c", str(file))
    assert out.returncode == 1 and "more than 10000 probes" in out.stderr and len(out.stderr.splitlines()) == 1


# --- the page docs/probes.md ---


def table(heading):
    with open(os.path.join(ROOT, "docs/probes.md"), encoding="utf-8") as f:
        text = f.read()
    part = re.search(r"^## " + heading + r"\n(.*?)(?=^#+ |\Z)", text, re.S | re.M)[1]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in part.splitlines()
            if line.startswith("| `") or line.startswith("| the kind")]


def test_common_keys():
    with open(os.path.join(KINDS, "config.c"), encoding="utf-8") as f:
        known = re.findall(r'ITEM\("(\w+)"', f.read())
    shown = [k for row in table("What every probe has") for k in re.findall(r"`(\w+)`", row[0])]
    assert sorted(shown) == sorted(known)


def test_keys_of_kinds():
    """What each kind's table of keys has stands in the page, and no more; so do its measurements."""
    with open(os.path.join(KINDS, "kinds.c"), encoding="utf-8") as f:
        kinds = re.findall(r"&probe_kind_(\w+),", f.read())
    sources = {}
    for name in os.listdir(KINDS):
        with open(os.path.join(KINDS, name), encoding="utf-8") as f:
            text = f.read()
        for kind in re.findall(r"const struct probe_kind probe_kind_(\w+) = \{", text):
            sources[kind] = text
    with open(os.path.join(KINDS, "talk.h"), encoding="utf-8") as f:
        of_tls = re.search(r"#define TALK_TLS_MEASUREMENTS(.*?)\nbool", f.read(), re.S)[1]
    rows = {kind: row for row in table("Kinds") for kind in re.findall(r"`(\w+)`", row[0])}
    assert set(kinds) <= set(rows)
    for kind in ("http", "dns", "icmp", "push"):
        keys = set(re.findall(r'\{(?:[A-Z]+\()?"(\w+)", KEY_', sources[kind]))
        row = rows[kind]
        assert keys == set(re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", row[-2]))), kind
        names = re.search(r"measurements\[\] = \{(.*?)NULL", sources[kind], re.S)[1]
        names = names.replace("TALK_TLS_MEASUREMENTS", of_tls)
        assert set(re.findall(r'"(\w+)"', names)) == set(re.findall(r"`([A-Z_]+)`", row[-1])), kind
