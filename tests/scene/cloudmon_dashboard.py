"""A small double of CloudMon's status dashboard, both versions of its API, as far as a reporter meets it.

It takes what the real one takes and refuses the rest: tokens signed with the secret, components by name and
attributes, one system incident of an impact at a time, statuses that an incident may have, impacts that change with
"impact changed" only. `lose` answers are processed and never sent; `fail` answers come instead of being processed.
"""
import base64
import datetime
import hashlib
import hmac
import http.server
import json
import re
import threading

STATUSES = ("detected", "analysing", "fixing", "impact changed", "observing", "resolved", "reopened", "changed")


def signed(token, secret):
    try:
        head, claim, mac = token.split(".")
        pad = lambda s: base64.urlsafe_b64decode(s + "=" * (-len(s) % 4))
        good = hmac.new(secret.encode(), f"{head}.{claim}".encode(), hashlib.sha256).digest()
        return json.loads(pad(head))["alg"] == "HS256" and hmac.compare_digest(good, pad(mac)) and \
            json.loads(pad(claim)).get("stackmon")
    except (ValueError, KeyError):
        return False


def moment(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


class Dashboard:
    def __init__(self, components, secret="a-secret-of-thirty-two-characters", token=None):
        """components: [(name, {attribute: value})]"""
        self.secret, self.token = secret, token
        self.components = [{"id": 200 + i, "name": name, "attributes": [{"name": k, "value": v} for k, v in a.items()]}
                           for i, (name, a) in enumerate(components)]
        self.incidents, self.requests, self.wrong = [], [], []
        self.lose = self.fail = 0
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with outer.lock:
                    status, value = outer.take(self.command, self.path, self.headers, body)
                    lost = outer.lose and self.command != "GET"
                    outer.lose -= 1 if lost else 0
                if lost:
                    self.close_connection = True
                    return
                text = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PATCH = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    # --- requests

    def take(self, method, path, headers, body):
        self.requests.append((method, path, json.loads(body) if body else None))
        if self.fail and method != "GET":
            self.fail -= 1
            return 503, {"errMsg": "not now"}
        sent = headers.get("Authorization", "").removeprefix("Bearer ")
        if method != "GET" and not (sent == self.token if self.token else signed(sent, self.secret)):
            return 401, {"errMsg": "not authorized"}
        try:
            return self.route(method, path, json.loads(body) if body else None)
        except (KeyError, ValueError, TypeError, AssertionError) as error:
            self.wrong.append((method, path, body, repr(error)))
            return 400, {"errMsg": repr(error)}

    def route(self, method, path, body):
        one = re.fullmatch(r"/v2/events/(\d+)", path)
        if (method, path) == ("POST", "/v1/component_status"):
            return self.component_status(body)
        if (method, path) == ("GET", "/v2/components"):
            return 200, self.components
        if method == "GET" and path.startswith("/v2/events?"):
            assert "limit=50" in path
            open_ = [i for i in self.incidents if ("active=true" not in path or not i["end_date"]) and
                     ("type=maintenance" not in path or i["type"] == "maintenance")]
            return 200, {"data": open_, "pagination": {"totalRecords": len(open_)}}
        if (method, path) == ("POST", "/v2/events"):
            return self.create(body)
        incident = next((i for i in self.incidents if one and i["id"] == int(one[1])), None)
        if not incident:
            return 404, {"errMsg": "event does not exist"}
        return (200, incident) if method == "GET" else self.patch(incident, body)

    def add(self, title, description, impact, components, start, system):
        self.incidents.append({
            "id": 1000 + len(self.incidents), "title": title, "description": description, "impact": impact,
            "components": list(components), "start_date": start, "end_date": None, "system": system,
            "type": "incident", "status": "detected",
            "updates": [{"id": 0, "status": "detected", "text": description, "timestamp": start}]})
        return self.incidents[-1]

    def holding(self, component):
        return next((i for i in self.incidents if i["type"] == "incident" and not i["end_date"] and
                     component in i["components"]), None)

    # --- version 1

    def component_status(self, body):
        assert 1 <= body["impact"] <= 3
        wanted = body["attributes"]
        c = next((c for c in self.components if c["name"] == body["name"] and all(a in c["attributes"] for a in wanted)),
                 None)
        if not c:
            return 500, {"message": "'NoneType' object has no attribute 'id'"}
        there = self.holding(c["id"])
        if there and there["impact"] >= body["impact"]:
            return 409, {"message": "Incident with this the component already exists", "existingIncidentId": there["id"]}
        if there:
            there["impact"] = body["impact"]
            return 201, there
        same = next((i for i in self.incidents if not i["end_date"] and i["system"] and i["impact"] == body["impact"]),
                    None)
        if same:
            same["components"].append(c["id"])
            return 201, same
        return 201, self.add(body["text"], "", body["impact"], [c["id"]], "2026-01-01 00:00", True)

    # --- version 2

    def maintenance(self, body):
        assert set(body) == {"title", "description", "impact", "components", "start_date", "end_date", "type",
                             "contact_email"}
        assert body["impact"] == 0 and body["title"] and body["description"] and "@" in body["contact_email"]
        assert moment(body["start_date"]) < moment(body["end_date"])
        assert set(body["components"]) <= {c["id"] for c in self.components}, "unknown component"
        work = self.add(body["title"], body["description"], 0, body["components"], body["start_date"], False)
        work.update(type="maintenance", status="planned", end_date=body["end_date"], version=1,
                    contact_email=body["contact_email"])
        work["updates"][0]["status"] = "planned"
        return 200, {"result": [{"component_id": c, "incident_id": work["id"]} for c in body["components"]]}

    def patch_maintenance(self, work, body):
        assert set(body) <= {"message", "status", "update_date", "title", "start_date", "end_date", "version"}
        assert body["message"] and body["status"] in ("in_progress", "modified", "completed", "cancelled")
        assert work["status"] not in ("completed", "cancelled"), "it is closed"
        moment(body["update_date"])
        if body["version"] != work["version"]:
            return 409, {"errMsg": "version conflict"}
        work["version"] += 1
        work.update({k: body[k] for k in ("title", "start_date", "end_date", "status") if k in body})
        work["updates"].append({"id": len(work["updates"]), "status": body["status"], "text": body["message"],
                                "timestamp": body["update_date"]})
        return 200, work

    def create(self, body):
        if body["type"] == "maintenance":
            return self.maintenance(body)
        assert set(body) <= {"title", "description", "impact", "components", "start_date", "system", "type"}
        assert 1 <= body["impact"] <= 3 and body["type"] == "incident" and body["system"] is True
        assert body["title"] and len(body["description"]) <= 1500 and body["components"]
        assert moment(body["start_date"]) <= datetime.datetime.utcnow()
        known = {c["id"] for c in self.components}
        assert set(body["components"]) <= known, "unknown component"
        result = []
        new = None
        for c in body["components"]:
            there = self.holding(c)
            same = next((i for i in self.incidents if not i["end_date"] and i["system"] and
                         i["impact"] == body["impact"]), None)
            if there and not there["system"]:
                result.append({"component_id": c, "incident_id": there["id"]})
                continue
            into = there or new or same
            if not into:
                into = new = self.add(body["title"], body["description"], body["impact"], [], body["start_date"], True)
            if c not in into["components"]:
                into["components"].append(c)
            result.append({"component_id": c, "incident_id": into["id"]})
        return 200, {"result": result}

    def patch(self, incident, body):
        if incident["type"] == "maintenance":
            return self.patch_maintenance(incident, body)
        assert set(body) <= {"message", "status", "update_date", "title", "impact"}
        assert body["message"] and body["status"] in STATUSES
        moment(body["update_date"])
        assert not incident["end_date"] or body["status"] in ("reopened", "changed"), "it is closed"
        if "impact" in body and body["impact"] != incident["impact"]:
            assert body["status"] == "impact changed" and body["impact"] > 0
            incident["impact"] = body["impact"]
        if body["status"] == "resolved":
            incident["end_date"] = body["update_date"]
        if body["status"] == "reopened":
            incident["end_date"] = None
        incident["status"] = body["status"]
        incident["updates"].append({"id": len(incident["updates"]), "status": body["status"], "text": body["message"],
                                    "timestamp": body["update_date"]})
        return 200, incident
