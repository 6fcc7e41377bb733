"""Plays corpus.yaml against one cloud and says what each answer looked like, with ids, times, addresses
and our own names taken out, so that two clouds can be compared."""
import copy
import random
import re
import time

import requests
import yaml

SERVICES = {"identity": ["identity"], "network": ["network"], "compute": ["compute"],
            "volume": ["block-storage", "volumev3"], "image": ["image"], "object-store": ["object-store"],
            "key-manager": ["key-manager"], "dns": ["dns"],
            "load-balancer": ["load-balancer"],
            "orchestration": ["orchestration"]}
SWIFT = ("x-account-", "x-container-", "x-object-", "x-copied-", "x-storage-", "x-delete-at", "x-timestamp", "etag",
         "content-range", "content-disposition", "allow", "accept-ranges", "vary")  # headers that say something
LONGEST = 240  # seconds for one object to reach its state: zones go when the lab next looks for deleted ones
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
MASKS = [(rf"req-{UUID}", "REQUEST"), (UUID, "ID"), (r"\b(AUTH_)?[0-9a-f]{32}\b", "ID"), (r"tx[0-9a-f]{21}-[0-9a-f]{10}", "REQUEST"),
         (r"https?://[^\s\"']+", "URL"), (r"\b\d+\.\d+\.\d+\.\d+(/\d+)?", "ADDRESS"),
         (r"\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b", "MAC")]
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+\d\d:?\d\d)?")


class Cloud:
    """One cloud as its clouds.yaml entry names it: a token, the roots of its services, what was saved."""

    def __init__(self, entry):
        auth = entry["auth"]
        self.http = requests.Session()
        self.password = auth["password"]
        self.identity = re.sub(r"/v3/?$", "", auth["auth_url"])
        domain = auth.get("user_domain_name", "Default")
        answer = self.http.post(f"{self.identity}/v3/auth/tokens", timeout=60, json={"auth": {
            "identity": {"methods": ["password"], "password": {"user": {
                "name": auth["username"], "domain": {"name": domain}, "password": self.password}}},
            "scope": {"project": {"name": auth["project_name"], "domain": {"name": domain}}}}})
        answer.raise_for_status()
        self.token = answer.headers["X-Subject-Token"]
        token = answer.json()["token"]
        self.roots = {"identity": self.identity}
        for service in token["catalog"]:
            for name, types in SERVICES.items():
                if service["type"] in types:
                    url = next(e["url"] for e in service["endpoints"] if e["interface"] == "public")
                    self.roots[name] = re.sub(r"/v\d+(\.\d+)?(/.*)?$", "", url).rstrip("/")
        run = f"{random.randrange(16 ** 8):08x}"
        self.saved = {"project": token["project"]["id"], "user": token["user"]["id"], "token": self.token,
                      "password": self.password, "run": run}
        self._find()

    def _find(self):
        """What is there already and requests refer to."""
        def get(service, path):
            return self.http.get(self.roots[service] + path, headers={"X-Auth-Token": self.token},
                                 timeout=60).json()

        self.saved["external"] = get("network", "/v2.0/networks?router:external=true")["networks"][0]["id"]
        if "image" in self.roots:
            self.saved["image"] = get("image", "/v2/images?status=active")["images"][0]["id"]
        if "compute" in self.roots:
            flavors = get("compute", "/v2.1/flavors/detail")["flavors"]
            self.saved["flavor"] = min(flavors, key=lambda f: (f["ram"], f["vcpus"], f["id"]))["id"]

    def fill(self, value):
        if isinstance(value, dict):
            return {k: self.fill(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        if not isinstance(value, str):
            return value
        whole = re.fullmatch(r"\{(\w+)\}", value)
        if whole and whole[1] in self.saved:
            return self.saved[whole[1]]
        return re.sub(r"\{(\w+)\}", lambda m: str(self.saved.get(m[1], m[0])), value)

    def send(self, service, line, request):
        words = line.split(" ", 2)
        if len(words) == 3 and words[0] in SERVICES:
            service, words = words[0], words[1:]
        method, path = words[0], self.fill(" ".join(words[1:]))
        headers = {"Accept": "application/json", **self.fill(request.get("headers", {}))}
        if request.get("token") != "none":
            headers["X-Auth-Token"] = "bad" if request.get("token") == "bad" else self.token
        if "version" in request:
            kind = {"compute": "compute", "volume": "volume"}.get(service, service)
            headers["OpenStack-API-Version"] = f"{kind} {request['version']}"
        body = {}
        if "text" in request:
            headers["Content-Type"] = request.get("type", "application/json")
            body = {"data": self.fill(request["text"])}
        elif "body" in request:
            body = {"json": self.fill(copy.deepcopy(request["body"]))}
        return self.http.request(method, self.roots[service] + path, headers=headers, timeout=120,
                                 allow_redirects=False, **body)

    def save(self, request, answer):
        for name, path in request.get("save", {}).items():
            self.saved[name] = at(answer.json(), path)
        for name, path in request.get("save_ref", {}).items():
            self.saved[name + "_ref"] = at(answer.json(), path)
            self.saved[name] = self.saved[name + "_ref"].rsplit("/", 1)[-1]


def at(value, path):
    for part in path.split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def play_group(cloud, service, group):
    """name -> what its answer looked like. Everything it made is removed again."""
    seen, undo = {}, []
    try:
        for name, request in group.items():
            answer, states = play(cloud, service, request)
            seen[name] = look(cloud, request, answer, states)
            if answer.status_code < 300:
                cloud.save(request, answer)
                if "undo" in request:
                    undo.append((request["undo"], {"body": request["undo_body"]} if "undo_body" in request else {}))
            elif ("save" in request or "undo" in request) and not request.get("may_fail"):
                raise AssertionError(f"{service}/{name}: {answer.status_code} {answer.text[:500]}")
    finally:
        for line, request in reversed(undo):
            remove(cloud, service, line, request)
    return seen


def remove(cloud, service, line, request):
    for _ in range(60):
        status = cloud.send(service, line, request).status_code
        if status == 404 or (status < 300 and request):
            return
        time.sleep(0.5)
    raise AssertionError(f"{line} is still answered {status}")


def play(cloud, service, request):
    """The last answer, and the states that were seen on the way to it."""
    until = request.get("until")
    answer = cloud.send(service, request["call"], request)
    states, end = [], time.monotonic() + LONGEST
    while until:
        if "status" in until:
            done = answer.status_code == until["status"]
        else:
            state = state_of(answer, until["field"])
            if state and (not states or states[-1] != state):
                states.append(state)
            done = state == until["states"][-1]
            if state and state not in until["states"]:
                break
        if done or time.monotonic() > end:
            break
        time.sleep(0.2)
        answer = cloud.send(service, request["call"], request)
    return answer, states


def state_of(answer, field):
    """None: it is not there yet."""
    try:
        return at(answer.json(), field)
    except (KeyError, IndexError, ValueError):
        return None


# --- what an answer looked like -----------------------------------------------------------------

def mask(cloud, text):
    for name in ("run",):
        text = text.replace(str(cloud.saved[name]), "RUN")
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    return TIME.sub("TIME", text)


def leaf(cloud, value, exact):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return "number"
    masked = mask(cloud, value)
    if exact:  # keystone goes on with the whole schema; what is used up differs; octavia's choices are a Python set
        first = re.sub(r"\b\d+(?=G?\b)", "N", masked.split("\n")[0])
        return re.sub(r"(?<=should be one of: ).*", lambda m: ", ".join(sorted(m[0].split(", "))), first)
    if re.fullmatch(r"ID|URL|ADDRESS|MAC|TIME|REQUEST", masked) or re.fullmatch(r"[A-Z][A-Z_]+", masked):
        return masked
    return "text"


def shape(cloud, value, path, exact, out):
    if isinstance(value, dict):
        out.setdefault(path, set()).add("map")
        for key, inner in value.items():
            shape(cloud, inner, f"{path}.{mask(cloud, key)}" if path else mask(cloud, key), exact, out)
    elif isinstance(value, list):
        out.setdefault(path, set()).add("list" if value else "empty list")
        for inner in value:
            shape(cloud, inner, f"{path}[]", exact, out)
    else:
        out.setdefault(path, set()).add(leaf(cloud, value, exact))


def look(cloud, request, answer, states):
    status = str(answer.status_code)
    if answer.status_code in request.get("any_of", []):
        status = "any of " + " ".join(map(str, request["any_of"]))
    seen = {"status": {status}}
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    if answer.content:
        seen["header content-type"] = {kind}
    for header in ("openstack-api-version", "x-openstack-request-id", "www-authenticate", "location"):
        if header in answer.headers:
            seen[f"header {header}"] = {mask(cloud, answer.headers[header])}
    if "x-trans-id" in answer.headers:
        for header, value in answer.headers.items():
            if header.lower().startswith(SWIFT):
                said = re.sub(r"\d+(\.\d+)?", "N", mask(cloud, value))
                # the order of swift's methods is that of a Python set: another one after each start
                seen[f"header {header.lower()}"] = set(said.split(", ")) if header.lower() == "allow" else {said}
    if status.startswith("any of"):
        return {"status": seen["status"]}
    body = {}
    try:
        shape(cloud, answer.json(), "", answer.status_code >= 400, body)
    except ValueError:
        body = {"text": {mask(cloud, " ".join(answer.text.split()))}} if answer.content else {}
    seen.update({f"body {p}".rstrip(): v for p, v in body.items()})
    if request.get("until", {}).get("states"):
        allowed = iter(request["until"]["states"])
        good = states and states[-1] == request["until"]["states"][-1] and all(s in allowed for s in states)
        seen["states"] = {"as expected" if good else " -> ".join(states)}
    return seen


def inside(part):
    return ("body ",) if part == "body" else (part + ".", part + "[]")


def compare(lab, sim):
    """Lines "NAME WHAT: lab X, sim Y"; of what a whole part is missing, only the part is named."""
    found = []
    for name in lab:
        a, b = lab[name], sim.get(name, {})
        gone = {k for k in a.keys() ^ b.keys() if k.startswith("body ")}
        for key in sorted(a.keys() | b.keys()):
            x, y = a.get(key), b.get(key)
            if x == y or any(key != g and key.startswith(inside(g)) for g in gone):
                continue
            say = [" or ".join(sorted(v)) if v else "nothing" for v in (x, y)]
            found.append((f"{name} {key}", f"lab {say[0]}, sim {say[1]}"))
    return found


class Loader(yaml.SafeLoader):
    """Refuses a key that is there twice: the first of them would never be played."""


def mapping(loader, node, deep=False):
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    for i, key in enumerate(keys):
        if key in keys[:i]:
            raise yaml.constructor.ConstructorError(None, None, f"{key} is there twice", node.value[i][0].start_mark)
    return yaml.SafeLoader.construct_mapping(loader, node, deep)


Loader.construct_mapping = mapping


def load(path):
    with open(path, encoding="utf-8") as f:
        return yaml.load(f, Loader)
