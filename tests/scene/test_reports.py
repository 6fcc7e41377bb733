"""Reports by mail from `glasshouse run`: what happened while it ran, and what came due while it did not, once."""
import os
import quopri
import socketserver
import sqlite3
import threading
import time

from running import running, until
from simulated import simulated

HOUR = 3600


class Mailbox:
    """Takes mail without TLS; `refuse` answers 451 to each message."""

    def __init__(self):
        box = self
        self.mails, self.refused, self.refuse = [], 0, False

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(f"{text}\r\n".encode())

            def handle(self):
                self.say("220 box")
                while line := self.rfile.readline():
                    word = line[:4].upper()
                    if word == b"DATA":
                        self.take()
                    else:
                        self.say("221 bye" if word == b"QUIT" else "250 fine")

            def take(self):
                self.say("354 go on")
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line)
                if box.refuse:
                    box.refused += 1
                    self.say("451 not now")
                    return
                box.mails.append(b"".join(lines).decode())
                self.say("250 taken")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def text_of(mail):
    return quopri.decodestring(mail.split("\r\n\r\n", 1)[1]).decode().replace("\r\n", "\n")


def facts(run, sql, *values):
    with sqlite3.connect(os.path.join(run.state, "facts.db"), timeout=30) as db:
        return db.execute(sql, values).fetchall()


def header(mail, name):
    return next(line for line in mail.splitlines() if line.startswith(f"{name}: "))


def test_what_happened_comes_once():
    box = Mailbox()
    config = {"site": {"name": "Example Cloud", "timezone": "Europe/Berlin"},
              "scenarios": [{"use": "network-basics", "every": "1h", "runs": 1}],
              "reports": [{"mail": ["ops@example.org"], "every": "2h",
                           "server": {"host": box.host, "tls": "plain", "from": "gh@example.org"}}]}
    try:
        with simulated() as cloud, running(cloud, config) as run:
            run.wait_health("network", "operational")
            until(lambda: run.site(operators=True)["scenarios"][0]["last"], "a run")
            until(lambda: facts(run, "SELECT 1 FROM report"), "the period has begun")
            assert run.stop() == 0 and not box.mails
            # as if it had been due an hour ago, and the server will not take it yet
            facts(run, "UPDATE report SET covered = ?", int(time.time() - 3 * HOUR) * 1000)
            box.refuse = True
            run.start()
            until(lambda: box.refused >= 2, "it is tried again")
            run.kill()
            assert len(facts(run, "SELECT id FROM report_mail")) == 1
            box.refuse = False
            run.start()
            until(lambda: box.mails, "the report")
            until(lambda: not facts(run, "SELECT id FROM report_mail"), "it is done")
            assert run.stop() == 0
            run.start()
            run.wait_health("network", "operational")
            assert run.stop() == 0
        assert len(box.mails) == 1
        mail = box.mails[0]
        assert header(mail, "Subject").startswith("Subject: [Example Cloud] Report ")
        assert "(Europe/Berlin)" in text_of(mail) and "ops@example.org" in header(mail, "To")
        for part in ("Availability", "Changes of state", "Runs of scenarios", "Waits", "Calls", "Ledger", "Not observed"):
            assert f"\n{part}\n" in text_of(mail), part
    finally:
        box.close()


def test_all_of_it_is_told():
    """A period that lies around everything: runs with their causes, waits, calls with errors, the ledger."""
    box = Mailbox()
    config = {"site": {"name": "Example Cloud"},
              "scenarios": [{"use": "network-basics", "every": "10s"}],
              "reports": [{"mail": ["ops@example.org"], "every": "1h",
                           "server": {"host": box.host, "tls": "plain", "from": "gh@example.org"}}]}
    try:
        with simulated() as cloud, running(cloud, config) as run:
            until(lambda: run.site(operators=True)["scenarios"][0]["last"], "a run")
            cloud.fault({"service": "network", "method": "POST", "path": "*/subnets", "effect": "status",
                         "status": 500})
            until(lambda: facts(run, "SELECT 1 FROM scenario_run WHERE verdict = 'failed'"), "one that failed")
            assert run.stop() == 0
            # due in a moment, with all that was before its end
            facts(run, "UPDATE report SET covered = ?", int(time.time() - HOUR) * 1000 + 1000)
            time.sleep(1)
            run.start()
            until(lambda: box.mails, "the report", 90)
            assert run.stop() == 0
        text = text_of(box.mails[0])
        line = next(line for line in text.splitlines() if line.startswith("network-basics (sim)"))
        assert " passed" in line and " failed" in line
        assert "\n    1 x " in text or " x " in text.split("Runs of scenarios")[1].split("Waits")[0]
        assert "network POST /v2.0/subnets" in text or "network POST /subnets" in text
        assert "network gone" in text and "needs an administrator: 0" in text
    finally:
        box.close()
