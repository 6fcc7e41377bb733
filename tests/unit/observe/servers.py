"""Servers that probes are tested with: python3 servers.py KIND [ARGUMENT...]

Each listens on 127.0.0.1, says its port in a line, and ends when its standard input does. What the
machine does not have is said as "missing: ...".
"""
import asyncio
import logging
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time


def say(port):
    print(port, flush=True)


def missing(what):
    print("missing:", what, flush=True)
    sys.exit(0)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port, process, log=None):
    for _ in range(1200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    if log and log.exists():
        print(log.read_text(), file=sys.stderr)
    sys.exit("it did not start")


def with_process(args, port, log=None, **more):
    process = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, **more)
    try:
        wait_for(port, process, log)
        say(port)
        sys.stdin.read()
    finally:
        process.terminate()
        process.wait()


def openssl(cert, key, *options):
    """openssl s_server"""
    port = free_port()
    with_process(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", cert, "-key", key,
                  "-quiet", "-naccept", "1000", *options], port, stderr=subprocess.DEVNULL)


def imap(cert, key):
    """Debian's dovecot; what it writes lies in a folder of its own."""
    program = shutil.which("dovecot", path="/usr/sbin:/usr/bin")
    if not program or not os.path.exists("/usr/lib/dovecot/imap"):
        missing("dovecot-imapd")
    port, tls_port = free_port(), free_port()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dovecot."))
    folder.chmod(0o755)
    root = os.getuid() == 0
    user = "nobody" if root else os.environ.get("USER", "nobody")
    group = "nogroup" if root else subprocess.check_output(["id", "-gn"], text=True).strip()
    (folder / "conf").write_text(f"""
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{os.path.abspath(cert)}
ssl_key = <{os.path.abspath(key)}
login_greeting = Ready to be probed.
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
passdb {{
  driver = static
  args = password=nobody
}}
""")
    try:
        with_process([program, "-F", "-c", str(folder / "conf")], port, folder / "log")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def tls_of(cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def starttls(protocol, cert, key):
    """What LDAP, PostgreSQL, POP3 and FTP say before TLS; then OpenSSL's handshake."""
    context = tls_of(cert, key)
    ldap_yes = bytes.fromhex("300c02010178070a010004000400")
    ldap_no = bytes.fromhex("302d0201017828") + b"\x0a\x01\x02\x04\x00\x04\x21" + \
        b"unsupported extended operation..."
    talks = {
        "ldap": [(None, ldap_yes)],
        "ldap-no": [(None, ldap_no)],
        "postgres": [(None, b"S")],
        "postgres-no": [(None, b"N")],
        "pop3": [(b"+OK ready\r\n", b"+OK begin\r\n")],
        "ftp": [(b"220-several\r\n lines\r\n220 ready\r\n", b"234 begin\r\n")],
    }

    def serve(connection):
        with connection:
            for greeting, answer in talks[protocol]:
                if greeting:
                    connection.sendall(greeting)
                if not connection.recv(1000):
                    return
                connection.sendall(answer)
            try:
                with context.wrap_socket(connection, server_side=True) as tls:
                    tls.recv(1)
            except OSError:
                pass

    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    say(listener.getsockname()[1])
    sys.stdin.read()


def websocket(*files):
    """python3-websockets. The path says what it does."""
    try:
        import websockets
    except ImportError:
        missing("python3-websockets")
    logging.disable()  # clients that give up are part of the tests

    async def serve(socket, path):
        if path == "/echo":
            async for message in socket:
                await socket.send(f"you said {message}")
        elif path == "/tell?a=1":
            await socket.send('{"up": true, "who": "%s"}' % socket.request_headers.get("X-Who", ""))
            await socket.send("second")
            await socket.wait_closed()
        elif path == "/ping":
            await (await socket.ping(b"are you there"))
            await socket.send("you are")
            await socket.wait_closed()
        elif path == "/parts":
            await socket.send(["a message ", "in ", "parts"])
            await socket.wait_closed()
        elif path == "/large":
            await socket.send("x" * 100000)
            await socket.wait_closed()
        elif path == "/close":
            await socket.close(1013, "try again later")

    async def main():
        context = tls_of(*files) if files else None
        async with websockets.serve(serve, "127.0.0.1", 0, ssl=context, subprotocols=["chat"],
                                    ping_interval=None) as server:
            say(server.sockets[0].getsockname()[1])
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

    asyncio.run(main())


def grpc(*files):
    """python3-grpcio; the messages of grpc.health.v1 are few enough to be written by hand."""
    try:
        import grpc as g
        from concurrent import futures
    except ImportError:
        missing("python3-grpcio")

    states = {b"": 1, b"up": 1, b"down": 2, b"odd": 9}

    def check(request, context):
        name = request[2:] if request else b""
        if name == b"busy":
            context.abort(g.StatusCode.UNAVAILABLE, "too busy, \u00e4h")
        if name not in states:
            context.abort(g.StatusCode.NOT_FOUND, "unknown service")
        return bytes([8, states[name]])

    server = g.server(futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((g.method_handlers_generic_handler(
        "grpc.health.v1.Health", {"Check": g.unary_unary_rpc_method_handler(check)}),))
    if files:
        cert, key = (pathlib.Path(f).read_bytes() for f in files)
        port = server.add_secure_port("127.0.0.1:0", g.ssl_server_credentials([(key, cert)]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    say(port)
    sys.stdin.read()
    server.stop(0)


def http2():
    """nghttpd: speaks HTTP/2, and nothing of gRPC."""
    if not shutil.which("nghttpd"):
        missing("nghttp2-server")
    port = free_port()
    with_process(["nghttpd", "--no-tls", "-a", "127.0.0.1", str(port)], port)


def cutting():
    """A name server of datagrams that all are cut off; by TCP nobody is there."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))

    def answer():
        while True:
            q, peer = s.recvfrom(4096)
            s.sendto(q[:2] + b"\x82\x00\x00\x01" + bytes(6) + q[12:q.index(0, 12) + 5], peer)

    threading.Thread(target=answer, daemon=True).start()
    say(s.getsockname()[1])
    sys.stdin.read()


def named(*args):
    """Debian's bind9; see nameserver.py"""
    import nameserver
    for program in nameserver.PROGRAMS:
        if not shutil.which(program, path=nameserver.PATH):
            missing(f"{program} (bind9, bind9-utils)")
    nameserver.serve(free_port(), say, *args)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    globals()[sys.argv[1]](*sys.argv[2:])
