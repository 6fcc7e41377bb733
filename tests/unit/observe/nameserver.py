"""named with zones of its own, signed from the root down; for servers.py.

The root, test. and example.test. are as they should be; in test. lie besides: expired.test., whose signatures
are over; bogus.test., one of whose records was changed after it was signed; nods.test., for which the parent
has no DS; plain.test., which is not signed; hashed.test. and optout.test., whose proofs are NSEC3, the second's with
opt-out; and cut.test. and cut3.test. (by NSEC3), from which gone was taken after they were signed. The trust anchor is FOLDER/dsset-. (a DS of the root's key).
With a serial there is example.test. alone, unsigned, with that serial.
"""
import pathlib
import shutil
import subprocess
import sys
import time

PATH = "/usr/sbin:/usr/bin"
PROGRAMS = ("named", "dnssec-keygen", "dnssec-signzone")

HEAD = """$TTL 300
@ IN SOA ns.test. host.test. ({serial} 3600 600 86400 60)
@ IN NS ns.test.
"""

EXAMPLE = """www IN A 192.0.2.2
www IN A 192.0.2.1
www 60 IN AAAA 2001:db8::1
@ IN MX 10 mail.example.test.
alias IN CNAME www
nowhere IN CNAME none
only IN CNAME host.deep
host.deep IN A 192.0.2.7
*.wild IN A 192.0.2.8
_sip._tcp IN SRV 0 5 5060 www
""" + "".join(f'big IN TXT "{"x" * 200}{i:02}"\n' for i in range(20))

CUT = "gone IN A 192.0.2.3\nwww IN A 192.0.2.3\n*.wild IN A 192.0.2.8\n"

CHILDREN = {
    "example.test": EXAMPLE,
    "expired.test": "www IN A 192.0.2.3\n",
    "bogus.test": "www IN A 192.0.2.4\n",
    "nods.test": "www IN A 192.0.2.5\n",
    "hashed.test": "www IN A 192.0.2.3\nhost.deep IN A 192.0.2.7\n*.wild IN A 192.0.2.8\n",
    "optout.test": "www IN A 192.0.2.3\n",
    "cut.test": CUT,
    "cut3.test": CUT,
}
SIGNED = {"expired.test": ["-s", "20200101000000", "-e", "20200201000000", "-P"], "hashed.test": ["-3", "aabbccdd", "-H", "5"],
          "optout.test": ["-3", "-", "-H", "0", "-A"], "cut.test": ["-O", "full"],
          "cut3.test": ["-3", "-", "-H", "0", "-O", "full"]}


def run(*args, folder):
    subprocess.run(args, cwd=folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100,
                   env={"PATH": PATH})


def write(folder, name, text, serial=1):
    (folder / f"{name}.zone").write_text(HEAD.format(serial=serial) + text)


def sign(folder, name, *more):
    """-> the records of DS that its parent should have"""
    origin = name if name.endswith(".") else name + "."
    for flags in ([], ["-f", "KSK"]):
        run("dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-K", ".", "-P", "20191231", "-A", "20191231", *flags,
            origin, folder=folder)
    run("dnssec-signzone", "-S", "-K", ".", "-d", ".", "-o", origin, *more, "-f", f"{name}.zone",
        f"{name}.zone", folder=folder)
    return (folder / f"dsset-{origin}").read_text()


def make_zones(folder):
    test = "ns IN A 127.0.0.1\n"
    for name, text in CHILDREN.items():
        write(folder, name, text)
        ds = sign(folder, name, *SIGNED.get(name, []))
        test += f"{name}. IN NS ns.test.\n" + ("" if name == "nods.test" else ds)
    zone = folder / "bogus.test.zone"
    zone.write_text(zone.read_text().replace("192.0.2.4", "192.0.2.44"))
    for name in ("cut.test", "cut3.test"):
        zone = folder / f"{name}.zone"
        left = [line for line in zone.read_text().splitlines(True) if not line.startswith(f"gone.{name}.")]
        zone.write_text("".join(left))
    write(folder, "plain.test", "www IN A 192.0.2.6\n")
    write(folder, "test", test + "plain.test. IN NS ns.test.\n")
    write(folder, ".", "test. IN NS ns.test.\nns.test. IN A 127.0.0.1\n" + sign(folder, "test"))
    sign(folder, ".")
    return [*CHILDREN, "plain.test", "test", "."]


def serve(port, say, folder, serial=None):
    folder = pathlib.Path(folder)
    folder.mkdir()
    process = None
    try:
        if serial:
            write(folder, "example.test", EXAMPLE, serial)
        zones = ["example.test"] if serial else make_zones(folder)
        (folder / "conf").write_text(f"""
options {{
  directory "{folder}"; pid-file none; session-keyfile "{folder}/session"; lock-file none;
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; notify no;
}};
controls {{ }};
""" + "".join(f'zone "{z}" {{ type primary; file "{z}.zone"; }};\n' for z in zones))
        log = folder / "log"
        with open(log, "w") as out:
            process = subprocess.Popen(["named", "-g", "-n", "1", "-c", str(folder / "conf")], stderr=out,
                                       stdin=subprocess.DEVNULL, env={"PATH": PATH})
        for _ in range(1200):
            if log.read_text().rstrip().endswith("running") or process.poll() is not None:
                break
            time.sleep(0.05)
        if process.poll() is not None:
            sys.exit(log.read_text())
        say(port)
        sys.stdin.read()
    except subprocess.CalledProcessError as e:
        sys.exit(f"{e}: {e.stderr.decode()}")
    finally:
        if process:
            process.terminate()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)
