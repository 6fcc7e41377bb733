"""What `glasshouse import` makes of the configurations of other programs: every line of them is told of, what is
said to be carried is, a secret is never printed, and what comes out is a configuration."""
import glob
import json
import os
import re
import socket
import subprocess
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import yaml

from public_data import public_data
from serve import GLASSHOUSE, ROOT

IMPORTS = os.path.join(ROOT, "tests", "scene", "imports")
PROGRAMS = ["cloudmon", "gatus", "blackbox", "uptime-kuma"]
SECRET = "s3cr3t"
PRODUCTION = public_data("cloudmon")


def command(*arguments, cwd=None, **environment):
    return subprocess.run([GLASSHOUSE, *map(str, arguments)], capture_output=True, text=True, timeout=60, cwd=cwd,
                          check=False, env={"PATH": os.environ["PATH"], "HOME": "/nonexistent",
                                            "GLASSHOUSE_SCENARIOS": os.path.join(ROOT, "scenarios"), **environment})


def imported(program, *paths, **environment):
    out = command("import", program, "--json", *paths, **environment)
    assert out.returncode in (0, 1), out.stderr
    return json.loads(out.stdout)


def sources(program):
    return sorted(p for p in glob.glob(os.path.join(IMPORTS, program, "*")) if p.endswith((".yaml", ".yml", ".json")))


def example(program):
    return imported(program, os.path.join(IMPORTS, program))


# --- nothing is lost ---------------------------------------------------------------------------------------------


def place(node):
    return node.start_mark.line + 1, node.start_mark.column + 1


def entries(node):
    """Each part below: where it is told of, and the part itself."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value != "<<":
                yield place(key), value
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield place(item), item


def lost(node, told, whole, way=""):
    """The parts that no note tells of: neither themselves, nor as a whole above, nor all that is in them."""
    for at, part in entries(node):
        if at in told:
            if isinstance(part, yaml.ScalarNode) or at in whole:
                continue
        if isinstance(part, yaml.ScalarNode) or not part.value:
            yield at, way
        else:
            yield from lost(part, told, whole, f"{way}/{at[0]}")


def documents(path):
    with open(path, encoding="utf-8") as f:
        return list(yaml.compose_all(f))


def check_nothing_lost(paths, notes):
    seen = 0
    for path in paths:
        mine = [n for n in notes if os.path.samefile(n["file"], path)]
        told = {(n["line"], n["col"]) for n in mine}
        whole = {(n["line"], n["col"]) for n in mine if n["whole"]}
        for root in documents(path):
            assert not list(lost(root, told, whole)), path
            seen += len(list(entries(root)))
    assert seen > 0


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_is_lost(program):
    made = example(program)
    assert all(n["text"] and n["what"] for n in made["notes"])
    check_nothing_lost(sources(program), made["notes"])


def maps_of(value, way=()):
    if isinstance(value, dict):
        yield way
        for key, part in value.items():
            yield from maps_of(part, way + (key,))
    elif isinstance(value, list):
        for i, part in enumerate(value):
            yield from maps_of(part, way + (i,))


def at_way(value, way):
    for step in way:
        value = value[step]
    return value


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_unknown_key_anywhere_is_told(program, tmp_path):
    """In every map there is, whatever is made of it, a key that nobody has heard of."""
    wanted = 0
    for path in sources(program):
        with open(path, encoding="utf-8") as f:
            value = yaml.safe_load(f)
        ways = list(maps_of(value))
        for way in ways:
            with_key = at_way(value, way)
            with_key["never_heard_of"] = 1
        copy = tmp_path / os.path.basename(path)
        copy.write_text(json.dumps(value, default=str, indent=1), encoding="utf-8")
        others = [p for p in sources(program) if p != path]
        notes = [n for n in imported(program, copy, *others)["notes"] if n["file"] == str(copy)]
        check_nothing_lost([copy], notes)
        told = [n for n in notes if n["what"].endswith("never_heard_of")]
        whole = [n for n in notes if n["whole"]]
        assert told and len(told) + len(whole) >= 2
        assert all(n["fate"] == "not carried" or in_map_of_names(n) for n in told)
        wanted += len(ways)
    assert wanted > 10


def in_map_of_names(note):
    """Names of headers, variables and services are the user's own."""
    return re.search(r"headers|env|services|clouds|modules|elements|service_override", note["what"])


# --- what is carried is carried ----------------------------------------------------------------------------------


def scalars(node):
    for at, part in entries(node):
        if isinstance(part, yaml.ScalarNode):
            yield at, part
        else:
            yield from scalars(part)


def another(text):
    """Another value of the same sort."""
    if text in ("true", "false"):
        return "false" if text == "true" else "true"
    if re.fullmatch(r"\d+(\.\d+)?(ms|s|m|h|d|MB)?", text):
        number = re.match(r"\d+", text).group()
        return str(int(number) + 1) + text[len(number):]
    return text[:-1] + ("x" if text[-1:] != "x" else "y") if text else "x"


def changed_text(text, node):
    start, end = node.start_mark.index, node.end_mark.index
    raw = text[start:end]
    quote = raw[:1] if raw[:1] in "'\"" else ""
    inner = raw[1:-1] if quote else raw
    return text[:start] + quote + another(inner) + quote + text[end:]


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_carried_makes_a_difference(program, tmp_path):
    """A value that is said to be carried: with another one something else comes out, or is told."""
    made = example(program)
    idle = []
    tried = 0
    for path in sources(program):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        carried = {(n["line"], n["col"]) for n in made["notes"]
                   if os.path.samefile(n["file"], path) and n["fate"] == "carried" and not n["whole"]}
        for root in documents(path):
            for at, node in scalars(root):
                if at not in carried:
                    continue
                copy = tmp_path / os.path.basename(path)
                copy.write_text(changed_text(text, node), encoding="utf-8")
                others = [p for p in sources(program) if p != path]
                after = command("import", program, "--json", *sorted([copy, *others], key=os.path.basename))
                tried += 1
                if after.returncode == 2:
                    continue
                now = json.loads(after.stdout)
                told = [n for n in now["notes"] if n["file"] == str(copy) and (n["line"], n["col"]) == at]
                if now["config"] == made["config"] and now["endpoints"] == made["endpoints"] and \
                        all(n["fate"] == "carried" for n in told):
                    idle.append((os.path.basename(path), at, node.value))
    assert tried > 40
    assert not idle, "\n".join(map(str, idle))


# --- secrets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_secret_is_printed(program, tmp_path):
    found = 0
    for path in sources(program):
        with open(path, encoding="utf-8") as f:
            found += f.read().count(SECRET)
    assert found >= 4
    directory = os.path.join(IMPORTS, program)
    for options in ([], ["--json"], ["--out", tmp_path / "out"]):
        out = command("import", program, *options, directory)
        assert SECRET not in out.stdout + out.stderr
    for path in glob.glob(str(tmp_path / "out" / "**" / "*.yaml"), recursive=True):
        with open(path, encoding="utf-8") as f:
            assert SECRET not in f.read()


@pytest.mark.parametrize("program", PROGRAMS)
def test_references_are_explained(program):
    """Each file of a secret is named in the report, with what to put there."""
    made = example(program)
    references = set(re.findall(r'"file:(secrets/[^"]+)"', json.dumps(made["config"])))
    told = {r for n in made["notes"] for r in re.findall(r"secrets/[\w.-]+", n["text"])}
    assert references <= told


# --- a configuration ---------------------------------------------------------------------------------------------


def check(directory):
    (directory / "clouds.yaml").write_text("clouds:\n" + "".join(
        f"  {name}: {{auth: {{auth_url: 'http://127.0.0.1:9', username: a, password: b, project_name: c}}}}\n"
        for name in ("prod", "production", "second", "stage")), encoding="utf-8")
    return command("config", "check", "-c", directory / "glasshouse.yaml", cwd=directory,
                   OS_CLIENT_CONFIG_FILE=str(directory / "clouds.yaml"),
                   GLASSHOUSE_ENDPOINTS=str(directory / "endpoints"))


FILES = {"gatus": {"client.crt"}, "blackbox": {"example-ca.pem"}}  # that the examples name


def bring(directory, files):
    """A certificate with its key for each, and those of another place into the directory."""
    for name in files:
        cert = directory / os.path.basename(name)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9",
                        "-subj", "/CN=x", "-keyout", cert.with_suffix(".key"), "-out", cert],
                       check=True, capture_output=True, timeout=60)
        for path in (directory / "conf.d").glob("*.yaml"):
            path.write_text(path.read_text(encoding="utf-8").replace(f"{os.path.dirname(name)}/{cert.name}", cert.name),
                            encoding="utf-8")


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_comes_out_is_a_configuration(program, tmp_path):
    out = command("import", program, "--out", tmp_path, os.path.join(IMPORTS, program))
    assert out.returncode == 1, out.stderr
    checked = check(tmp_path)
    # what the other program read of certificates is not ours to bring: check says where it has to be
    missing = re.findall(r"probe \S+: the (?:file of authorities|certificate) (\S+): No such file", checked.stderr)
    assert len(missing) == len(checked.stderr.splitlines()) or checked.returncode == 0, checked.stderr
    assert {os.path.basename(name) for name in missing} == FILES.get(program, set())
    bring(tmp_path, missing)
    checked = check(tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_table_of_endpoints_is_checked(tmp_path):
    (tmp_path / "glasshouse.yaml").write_text("site: {}\n", encoding="utf-8")
    (tmp_path / "endpoints").mkdir()
    (tmp_path / "endpoints" / "mine.yaml").write_text("compute.serves: {slow: 1s}\n", encoding="utf-8")
    checked = check(tmp_path)
    assert checked.returncode == 1 and "mine.yaml:1:1: endpoint compute.serves" in checked.stdout + checked.stderr


def test_files_are_not_written_over(tmp_path):
    directory = os.path.join(IMPORTS, "gatus")
    assert command("import", "gatus", "--out", tmp_path, directory).returncode == 1
    (tmp_path / "conf.d" / "gatus.yaml").write_text("mine", encoding="utf-8")
    out = command("import", "gatus", "--out", tmp_path, directory)
    assert out.returncode == 2 and "gatus.yaml: File exists" in out.stderr
    assert (tmp_path / "conf.d" / "gatus.yaml").read_text(encoding="utf-8") == "mine"


def test_two_documents_need_a_directory():
    out = command("import", "cloudmon", os.path.join(IMPORTS, "cloudmon"))
    assert out.returncode == 2 and "--out DIR" in out.stderr and not out.stdout


def test_the_report_is_lines_with_places():
    path = os.path.join(IMPORTS, "gatus", "10-top.yaml")
    other = os.path.join(IMPORTS, "gatus", "20-endpoints.yaml")
    out = command("import", "gatus", path, other)
    assert f"{path}:2:1: metrics: needless: /metrics is there\n" in out.stderr
    assert re.search(r"^\d+ carried, \d+ differently, \d+ not needed any more, \d+ not carried$", out.stderr, re.M)
    carried = [line for line in out.stderr.splitlines() if ": carried: " in line]
    quiet = command("import", "gatus", "--quiet", path, other)
    assert len(carried) > 20 and ": carried: " not in quiet.stderr and quiet.stdout == out.stdout
    assert yaml.safe_load(out.stdout)["probes"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_is_none_of_it(program, tmp_path):
    (tmp_path / "x.yaml").write_text("a: 1\n", encoding="utf-8")
    out = command("import", program, tmp_path)
    assert out.returncode == 2 and "there is nothing of" in out.stderr and "expected" in out.stderr
    (tmp_path / "x.yaml").write_text("a: [1\n", encoding="utf-8")
    out = command("import", program, tmp_path)
    assert out.returncode == 2 and re.search(r"x\.yaml:\d+:\d+: ", out.stderr)
    out = command("import", program, tmp_path / "nonexistent.yaml")
    assert out.returncode == 2 and "No such file" in out.stderr
    out = command("import", program)
    assert out.returncode == 2 and "expected files or directories" in out.stderr


# --- each program ------------------------------------------------------------------------------------------------


def probes(made):
    return {p["name"]: p for p in made["config"]["probes"]}


def note(made, what):
    return [n for n in made["notes"] if n["what"] == what]


def test_gatus():
    made = example("gatus")
    p = probes(made)
    website = p["core_website"]
    assert website["http"] == {
        "url": "https://www.example.org/health?token=&view=short", "method": "GET",
        "headers": {"X-Tenant": "demo", "Authorization": "file:secrets/core_website-Authorization"}, "verify": False,
        "redirects": 0, "proxy": "http://proxy.example.org:3128", "cert": "client.crt", "key": "client.key"}
    assert website["every"] == "90s" and website["timeout"] == "5s" and website["family"] == "ipv4"
    assert website["component"] == "website" and website["group"] == "core"
    assert website["expect"] == ["[STATUS] == any(200, 204)", "[BODY].status == UP", "len([BODY].items) > 0",
                                 "[RESPONSE_TIME] < 300ms", "[CERTIFICATE_EXPIRATION] > 48h"]
    assert p["shop_website"]["component"] == "shop website" and p["shop_website"]["every"] == "2m"
    assert p["core_api"]["http"]["user"] == "user" and p["core_api"]["http"]["password"].startswith("file:secrets/")
    assert p["zone"]["dns"] == {"name": "example.org", "type": "MX", "server": "192.0.2.53"}
    assert p["zone"]["expect"][0] == "[RCODE] == NOERROR"
    assert p["relay"]["tls"] == {"to": "relay.example.org:587", "starttls": "smtp"}
    assert p["jump"]["ssh"] == "jump.example.org:22" and p["jump"]["expect"] == ["[CONNECTED] == true"]
    assert p["feed"]["websocket"]["headers"] == {"X-Api-Key": "env:FEED_KEY"}
    assert p["rpc"]["grpc"] == {"to": "rpc.example.org:443", "tls": True}
    assert p["jobs_backup"]["push"] == {"token": "env:BACKUP_TOKEN"} and p["jobs_backup"]["every"] == "1d"
    assert p["report"]["push"] == {"token": "file:secrets/report-token"} and p["report"]["every"] == "7d"
    assert not {"parked", "stream", "hidden", "put"} & set(p)
    assert [n["fate"] for n in note(made, "endpoints[0].conditions[5]")] == ["not carried"]
    assert "DOMAIN_EXPIRATION" in note(made, "endpoints[0].conditions[5]")[0]["text"]
    hook, mail = made["config"]["alarms"]
    assert hook == {"webhook": "https://alerts.example.org/gatus", "token": "file:secrets/custom-token"}
    assert mail["mail"] == ["ops@example.org", "night@example.org"] and mail["server"]["host"] == "mail.example.org:587"
    assert made["config"]["witnesses"] == ["tcp://192.0.2.53:53"]


def test_gatus_maintenance():
    """Windows of all probes and of one, by the clocks of their zone; those that could not be are told with why."""
    made = example("gatus")
    all_of_it, website, images = made["config"]["maintenance"][-1], *made["config"]["maintenance"][:-1]
    assert all_of_it == {"name": "maintenance", "title": "Maintenance", "every": "week", "on": ["mon"], "at": "23:00",
                         "length": "1h", "zone": "Europe/Berlin", "probes": list(probes(made)), "announce": "none"}
    assert website == {"name": "core_website-maintenance", "title": "Maintenance of website", "every": "day", "at": "01:00",
                       "length": "1h", "zone": "UTC", "probes": ["core_website"], "announce": "none"}
    assert images["on"] == ["sun", "sat"] and images["length"] == "90m" and images["probes"] == ["shop_catalog_images"]
    suite, = note(made, "suites[1].endpoints[2].maintenance-windows[0].start")
    assert suite["fate"] == "differently" and "component of the suite" in suite["text"]
    reasons = [note(made, f"endpoints[0].maintenance-windows[{i}]")[0] for i in range(1, 5)]
    assert {n["fate"] for n in reasons} == {"not carried"}
    for n, said in zip(reasons, ("`start` is a time", "no such `timezone`", "`every` is a list of days", "switched off")):
        assert said in n["text"]


def test_gatus_maintenance_comes_when_it_came_there(tmp_path):
    """What the windows are is what `glasshouse maintenance next` says of them."""
    assert command("import", "gatus", "--out", tmp_path, os.path.join(IMPORTS, "gatus")).returncode == 1
    (tmp_path / "state").mkdir()
    out = command("maintenance", "next", "-c", tmp_path / "glasshouse.yaml", "--state", tmp_path / "state", cwd=tmp_path)
    assert out.returncode == 0, out.stderr
    spans = re.findall(r"^(\S+)Z  (\S+)Z  maintenance: Maintenance", out.stdout, re.M)
    assert spans
    for span in spans:
        clocks = [datetime.fromisoformat(at + "+00:00").astimezone(ZoneInfo("Europe/Berlin")) for at in span]
        assert [f"{at:%a %H:%M}" for at in clocks] == ["Mon 23:00", "Tue 00:00"]


def test_gatus_suites():
    """What only reads and needs no stored value; all else is told, each endpoint with its reason."""
    made = example("gatus")
    p = probes(made)
    mine = {name: item for name, item in p.items() if item.get("component") == "catalog"}
    assert set(mine) == {"shop_catalog_list", "shop_catalog_images", "shop_catalog_port"}
    assert all(item["every"] == "2m" and item["group"] == "shop" for item in mine.values())
    assert "after" not in mine["shop_catalog_list"] and mine["shop_catalog_images"]["after"] == ["shop_catalog_list"]
    assert "after" not in mine["shop_catalog_port"]  # always-run
    assert not any("order" in name or "nothing" in name for name in p)
    for what, said in (("suites[0].endpoints[0]", "it changes something"), ("suites[0].endpoints[1]", "[CONTEXT]"),
                       ("suites[0].endpoints[2]", "steps of which one changes"), ("suites[0].name", "no probe came of it"),
                       ("suites[1].endpoints[1]", "[CONTEXT]"), ("suites[1].endpoints[0].store", "values do not go"),
                       ("suites[1].context", "values do not go"), ("suites[2]", "switched off")):
        told, = note(made, what)
        assert told["fate"] == "not carried" and said in told["text"], told


def test_gatus_takes_variables_of_the_environment():
    made = imported("gatus", os.path.join(IMPORTS, "gatus"), NOBODY_SET_THIS_HOST="set.example.org")
    assert probes(made)["hidden"]["http"] == "https://set.example.org/"


def test_blackbox():
    made = example("blackbox")
    p = probes(made)
    web = p["web-https-www.example.org"]
    assert web["http"]["url"] == "https://www.example.org" and web["every"] == "1m" and web["timeout"] == "5s"
    assert web["group"] == "web" and web["family"] == "ipv4" and web["http"]["redirects"] == 0
    assert web["http"]["headers"] == {"Accept-Language": "en-US", "Cookie": "file:secrets/http_2xx-Cookie"}
    assert web["http"]["user"] == "probe" and web["http"]["password"] == "file:secrets/http_2xx-password"
    assert web["expect"] == [
        "[STATUS] >= 200 && [STATUS] <= 201 || [STATUS] == 204",
        '[BODY] != re("Could not connect")', r'[BODY] == re("status\x22?: \x22(UP|OK)\x22")',
        '[HEADER].set-cookie != re("legacy=.*")', '[HEADER].x-debug != re(".+")', "[HEADER].x-debug != null",
        '[HEADER].content-type == re("^text/html")', "[CERTIFICATE_EXPIRATION] != null"]
    assert p["web-www.example.net-health"]["http"]["url"] == "http://www.example.net/health"
    assert p["post-api.example.org"]["http"]["url"] == "https://api.example.org/v1"
    assert p["post-api.example.org"]["every"] == "30s" and p["post-api.example.org"]["timeout"] == "20s"
    assert p["mail-mail.example.org-25"]["tcp"]["talk"][1] == {"send": "EHLO prober\r\n"}
    assert p["ping-192.0.2.1"]["icmp"] == {"to": "192.0.2.1", "size": 64} and p["ping-192.0.2.1"]["timeout"] == "3s"
    assert p["database-db.example.org-5432"]["tcp"]["talk"] == [{"starttls": True}]
    assert p["chat-irc.example.org-6667"]["tcp"]["talk"] == [{"send": "NICK ${1}\n"}]
    assert "only text" in note(made, "modules.postgres.tcp.query_response[0].send")[0]["text"]
    assert p["pop-pop.example.org-995"]["tcp"]["talk"] == [{"expect": r"(?m)^\+OK"}]
    assert p["feed-wss-feed.example.org-v1"]["websocket"] == {
        "url": "wss://feed.example.org/v1", "verify": False, "expect": "^Hello", "send": "Hi",
        "headers": {"X-Plain": "one", "X-Hidden": "file:secrets/socket_feed-X-Hidden", "X-File": "file:header.txt",
                    "Authorization": "file:secrets/socket_feed-Authorization"}}
    assert p["plain-plain.example.org"]["http"] == "http://plain.example.org"
    assert p["chat-irc.example.org-6667"]["timeout"] == "2s"
    assert p["names-192.0.2.53"]["dns"] == {"server": "192.0.2.53", "name": "example.org", "type": "SOA", "tcp": True,
                                            "recursion": True}
    assert p["rpc-rpc.example.org-443"]["grpc"]["to"] == "rpc.example.org:443"
    assert not [name for name in p if "9100" in name or "9115" in name or "nowhere" in name or "node" in name]
    assert "--target" in note(made, "modules.nobody_asks")[0]["text"]


def test_blackbox_modules_with_targets():
    made = imported("blackbox", "--target", "https://a.example.org", "--target", "b.example.org:443",
                    os.path.join(IMPORTS, "blackbox", "blackbox.yml"))
    p = probes(made)
    refused = [n for n in made["notes"] if not n["line"] and n["fate"] == "not carried"]
    assert len(p) + len(refused) == 2 * 12  # all modules but that of a prober nobody has
    assert "smtp_starttls-https-a.example.org" in [n["what"] for n in refused] and "would be refused" in refused[0]["text"]
    assert p["nobody_asks-https-a.example.org"]["http"] == {"url": "https://a.example.org", "method": "HEAD"}
    assert p["http_post-b.example.org-443"]["http"]["url"] == "http://b.example.org:443"


@pytest.mark.parametrize("prober, key", [("http", "fail_if_ssl"), ("http", "proxy_from_environment"),
                                         ("http", "enable_http3"), ("icmp", "dont_fragment"), ("dns", "dns_over_tls")])
def test_what_blackbox_does_not_do_is_not_missed(prober, key, tmp_path):
    """A switch that is off loses nothing: only one that is on is told as not carried."""
    fates = []
    for value in ("true", "false"):
        query = "query_name: example.org, " if prober == "dns" else ""
        (tmp_path / "b.yml").write_text(f"modules: {{m: {{prober: {prober}, {prober}: {{{query}{key}: {value}}}}}}}\n")
        made = imported("blackbox", "--target", "192.0.2.1", tmp_path / "b.yml")
        fates += [n["fate"] for n in made["notes"] if n["what"] == f"modules.m.{prober}.{key}"]
    assert fates == ["not carried", "needless"]


MODULES = """modules:
  http_2xx: {prober: http}
  tcp_connect: {prober: tcp}
  icmp: {prober: icmp}
  unused: {prober: http}
"""


def kinds(tmp_path, job):
    """The kind of the probe of each target of a job of Prometheus, and what was told of the job's parts."""
    (tmp_path / "blackbox.yml").write_text(MODULES)
    jobs = yaml.safe_dump({"scrape_configs": [{"job_name": "all", "metrics_path": "/probe", **job}]})
    (tmp_path / "prometheus.yml").write_text(jobs)
    made = imported("blackbox", tmp_path / "blackbox.yml", tmp_path / "prometheus.yml")
    probes = (made["config"] or {}).get("probes", [])
    kind = {p["name"].removeprefix("all-"): next(k for k in ("http", "tcp", "icmp") if k in p) for p in probes}
    return kind, {n["what"]: n["fate"] for n in made["notes"]}


def test_modules_of_blackbox_by_relabelling(tmp_path):
    """Which module a target has may stand in a label of it, as most who ask many things in one job write it."""
    statics = [{"targets": ["a.example.org"], "labels": {"module": "http_2xx"}},
               {"targets": ["b.example.org:22"], "labels": {"module": "tcp_connect"}},
               {"targets": ["c.example.org"], "labels": {"__param_module": "icmp", "team": "net"}},
               {"targets": ["d.example.org"], "labels": {"team": "net"}}]
    job = {"static_configs": statics, "relabel_configs": [
        {"source_labels": ["__address__"], "target_label": "__param_target"},
        {"source_labels": ["module"], "regex": "(.+)", "target_label": "__param_module"}]}
    found, told = kinds(tmp_path, job)
    assert found == {"a.example.org": "http", "b.example.org-22": "tcp", "c.example.org": "icmp", "d.example.org": "http"}
    assert told["scrape_configs[0].relabel_configs[1]"] == "carried"
    assert [told[f"scrape_configs[0].static_configs[{i}].labels"] for i in range(4)] == [
        "differently", "differently", "differently", "not carried"]
    assert told["scrape_configs[0].job_name"] == "carried" and told["modules.unused"] == "not carried"
    assert all(told.get(f"modules.{m}.prober") == "carried" for m in ("http_2xx", "tcp_connect", "icmp"))

    # one for all of them
    job = {"static_configs": [{"targets": ["c.example.org"]}], "relabel_configs": [
        {"target_label": "__param_module", "replacement": "icmp"}]}
    assert kinds(tmp_path, job)[0] == {"c.example.org": "icmp"}

    # a part of the address: what is not understood makes no probe of another kind
    job["relabel_configs"] = [{"source_labels": ["__address__"], "regex": "(.*);.*", "target_label": "__param_module"}]
    found, told = kinds(tmp_path, job)
    assert found == {} and told["scrape_configs[0].relabel_configs[0]"] == "not carried"
    assert told["scrape_configs[0].job_name"] == "not carried"


def test_uptime_kuma():
    made = example("uptime-kuma")
    p = probes(made)
    front = p["Shop-front"]
    assert front["group"] == "Shop" and front["every"] == "1m" and front["timeout"] == "24s" and front["tries"] == 3
    assert front["expect"] == ["[STATUS] >= 200 && [STATUS] <= 299 || [STATUS] == 301 || [STATUS] == 401"]
    assert front["warn"] == ["[CERTIFICATE_EXPIRATION] > 504h"] and "component" not in front
    assert front["http"]["headers"] == {"X-Tenant": "demo", "X-Auth-Token": "file:secrets/Shop-front-X-Auth-Token",
                                        "Content-Type": "application/json"}
    assert front["http"]["proxy"] == "http://proxy.example.org:3128" and front["http"]["user"] == "probe"
    text = p["Shop-text"]
    assert text["http"]["user"] == "user" and text["http"]["verify"] is False and text["http"]["redirects"] == 0
    assert text["expect"][1] == r'[BODY] == re("Welcome \(all\) \x22friends\x22")'
    assert p["No-errors"]["expect"][1] == '[BODY] != re("error")'
    assert p["Status-document"]["expect"][1] == "[BODY].state.items[0].name == ready"
    assert len(p["Deep-document"]["expect"]) == 1
    assert p["Database"]["tcp"] == "db.example.org:5432" and p["Database"]["tries"] == 1
    assert p["Gateway"]["icmp"] == {"to": "192.0.2.1", "size": 120}
    assert p["Gateway"]["tries"] == 10 and p["Gateway"]["every"] == "20s" and p["Gateway"]["timeout"] == "20s"
    assert p["Name"]["dns"] == {"name": "example.org", "type": "MX", "server": "192.0.2.53:53"}
    assert p["Backup"]["push"] == {"token": "file:secrets/Backup-token"} and p["Backup"]["every"] == "1d"
    assert len(p) == 10 and p["Closed-port"]["expect"] == ["[CONNECTED] == false"]
    hook, mail = made["config"]["alarms"]
    assert hook == {"name": "Hook", "webhook": "https://alerts.example.org/kuma"}
    assert mail["server"] == {"host": "mail.example.org:465", "from": "status@example.org", "tls": "implicit",
                              "user": "status", "password": "file:secrets/Mail-password"}


def test_mail_by_people_with_names(tmp_path):
    """A sender is written as Uptime Kuma's own form shows it: "Uptime Kuma" <kuma@example.org>."""
    settings = {"type": "smtp", "smtpHost": "mail.example.org", "smtpPort": 465, "smtpSecure": True,
                "smtpFrom": '"Uptime Kuma" <kuma@example.org>',
                "smtpTo": '"Doe, Jane" <jane@example.org>, ops@example.org'}
    backup = {"version": "1.23.16", "monitorList": [],
              "notificationList": [{"id": 1, "name": "Mail", "active": True, "config": json.dumps(settings)}]}
    (tmp_path / "backup.json").write_text(json.dumps(backup))
    made = imported("uptime-kuma", tmp_path / "backup.json")
    assert made["config"]["alarms"] == [{"name": "Mail", "mail": ["jane@example.org", "ops@example.org"],
                                         "server": {"host": "mail.example.org:465", "from": "kuma@example.org",
                                                    "tls": "implicit"}}]
    settings["smtpFrom"] = '"Uptime Kuma" <kuma at example.org>'
    backup["notificationList"][0]["config"] = json.dumps(settings)
    (tmp_path / "backup.json").write_text(json.dumps(backup))
    made = imported("uptime-kuma", tmp_path / "backup.json")
    assert not made["config"] and any(n["fate"] == "not carried" for n in made["notes"])


def test_windows_of_uptime_kuma():
    """What is told of each way to say when, and what our words cannot say."""
    made = example("uptime-kuma")
    windows = {w["title"]: w for w in made["config"]["maintenance"]}

    def when(title):
        return {k: v for k, v in windows[title].items() if k not in ("name", "title", "announce", "probes", "text")}

    assert all(w["announce"] == "none" for w in windows.values())
    berlin = {"zone": "Europe/Berlin"}
    assert when("Patch night") == {"every": "week", "on": ["tue", "sun"], "at": "23:30", "length": "105m",
                                   "from": "2026-12-01", **berlin}
    assert windows["Patch night"]["probes"] == ["Shop-front", "Database"]
    assert windows["Patch night"]["text"] == "Servers restart *one by one*."
    assert when("Move") == {"every": "day", "at": "22:00", "until": "02:30", "from": "2026-12-24", "to": "2026-12-24",
                            **berlin}
    assert windows["Move"]["probes"] == ["Gateway"] and "text" not in windows["Move"]
    assert when("Long move") == {"every": "day", "at": "22:00", "length": "3150m", "from": "2026-12-24",
                                 "to": "2026-12-24"}
    assert when("Each third") == {"every": "3 days", "at": "23:30", "length": "105m", "from": "2026-12-01",
                                  "to": "2027-02-28", **berlin}
    assert when("Days") == {"every": "month", "on": ["1", "15", "last"], "at": "23:30", "length": "105m", **berlin}
    assert when("Cron of the week") == {"every": "week", "on": ["mon", "tue", "wed", "sun"], "at": "03:15",
                                        "length": "1h", **berlin}
    assert when("Cron of the month") == {"every": "month", "on": ["1", "last"], "at": "04:00", "length": "1h", **berlin}
    assert when("Of all") == {"every": "day", "at": "23:30", "length": "105m", **berlin}
    assert windows["Of all"]["probes"] == [p["name"] for p in made["config"]["probes"]]
    assert len(windows) == 8
    told = {n["what"]: n for n in made["notes"] if n["what"].startswith("maintenanceList.")}
    for number, why in {8: "of cron", 9: "by hand", 10: "switched off", 11: "no probe"}.items():
        note = told[f"maintenanceList.{number}"]
        assert note["fate"] == "not carried" and note["whole"] and why in note["text"]
    assert told["maintenanceList.1.monitors[2]"]["fate"] == "not carried"
    assert told["maintenanceList.5.daysOfMonth"]["fate"] == "differently"
    assert told["maintenanceList.3.timezone"]["fate"] == "differently"
    assert told["maintenanceList.12.title"]["fate"] == "differently"


def test_the_windows_come_when_they_came(tmp_path):
    """By the clocks of the zone, as `maintenance next` shows them."""
    config = example("uptime-kuma")["config"]
    move = next(w for w in config["maintenance"] if w["title"] == "Move")
    move |= {"from": "2099-12-24", "to": "2099-12-24"}
    config = {"probes": [p for p in config["probes"] if p["name"] in move["probes"]], "maintenance": [move]}
    (tmp_path / "glasshouse.yaml").write_text(json.dumps(config), encoding="utf-8")
    shown = command("maintenance", "next", "-c", tmp_path / "glasshouse.yaml")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("2099-12-24T21:00:00Z  2099-12-25T01:30:00Z  Move"), shown.stdout


@pytest.mark.parametrize("kind, what", [("docker", "Container"), ("mqtt", "Broker")])
def test_what_is_said_to_be_written_instead_is_a_probe(kind, what, tmp_path):
    """A type without an equivalent: the probe of kind exec that the report proposes is read as it stands."""
    made = example("uptime-kuma")
    told = [n for n in made["notes"] if n["fate"] == "not carried" and "probe of kind exec" in n["text"]
            and {"docker": "docker", "mqtt": "mosquitto_sub"}[kind] in n["text"]]
    assert len(told) == 1 and re.fullmatch(r"monitorList\[\d+\]", told[0]["what"]) and told[0]["whole"]
    said = re.search(r"run: (\[.*?\]), expect: (\".*?\")$", told[0]["text"])
    (tmp_path / "glasshouse.yaml").write_text(
        f"probes:\n  - {{name: {what}, exec: {{run: {said[1]}}}, expect: {said[2]}}}\n", encoding="utf-8")
    checked = check(tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_upside_down(tmp_path):
    """What should fail is expected to; the probe is held against a real closed and a real open port."""
    monitor = {"name": "closed", "type": "port", "hostname": "127.0.0.1", "port": 1, "upsideDown": True, "interval": 60,
               "active": True}
    monitors = [monitor, {**monitor, "name": "gone", "type": "http", "url": "http://127.0.0.1:1/", "hostname": None,
                          "accepted_statuscodes": ["200-299"]},
                {**monitor, "name": "name", "type": "dns", "dns_resolve_type": "A"}]
    (tmp_path / "b.json").write_text(json.dumps({"version": "1.23.0", "monitorList": monitors}), encoding="utf-8")
    made = imported("uptime-kuma", tmp_path / "b.json")
    expects = {p["name"]: p["expect"] for p in made["config"]["probes"]}
    assert expects == {"closed": ["[CONNECTED] == false"],
                       "gone": ["[CONNECTED] == false || !([STATUS] >= 200 && [STATUS] <= 299)"]}
    assert [n["fate"] for n in made["notes"] if n["what"].endswith("upsideDown")] == ["differently"] * 2
    config = tmp_path / "glasshouse.yaml"
    for name in expects:
        config.write_text(json.dumps(made["config"]), encoding="utf-8")
        out = command("try", name, "-c", config)
        assert out.returncode == 0, out.stdout + out.stderr
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        probes = [{**p, "tcp": f"127.0.0.1:{s.getsockname()[1]}"} for p in made["config"]["probes"] if p["name"] == "closed"]
        config.write_text(json.dumps({"probes": probes}), encoding="utf-8")
        assert command("try", "closed", "-c", config).returncode == 1


def test_secrets_in_conditions(tmp_path):
    """They are neither carried nor printed; that there is something is still expected."""
    conditions = [f"[BODY].user.token == {SECRET}", f"[BODY].api_key != {SECRET}", f"[STATUS] == 200 && [BODY].password == {SECRET}",
                  "len([BODY].token) > 3", "[BODY].token == [BODY].other"]
    (tmp_path / "g.yaml").write_text(yaml.safe_dump({"endpoints": [{
        "name": "a", "url": "https://a.example.org", "conditions": conditions}]}), encoding="utf-8")
    monitor = {"name": "b", "type": "json-query", "url": "http://b.example.org/", "jsonPath": "session.id_token",
               "jsonPathOperator": "==", "expectedValue": SECRET, "interval": 60, "active": True}
    (tmp_path / "k.json").write_text(json.dumps({"version": "1.23.0", "monitorList": [monitor]}), encoding="utf-8")
    gatus, kuma = imported("gatus", tmp_path / "g.yaml"), imported("uptime-kuma", tmp_path / "k.json")
    assert SECRET not in json.dumps([gatus, kuma])
    assert gatus["config"]["probes"][0]["expect"] == ["has([BODY].user.token) == true", *conditions[3:]]
    fates = [n["fate"] for n in gatus["notes"] if "conditions[" in n["what"]]
    assert fates == ["differently", "not carried", "not carried", "carried", "carried"]
    assert "has([BODY].session.id_token) == true" in kuma["config"]["probes"][0]["expect"]
    assert {n["fate"] for n in kuma["notes"] if "expectedValue" in n["what"]} == {"differently"}


def test_cloudmon():
    made = example("cloudmon")
    rows, p = made["endpoints"], probes(made)
    assert rows["compute.os-keypairs"] == {"service": "compute", "path": "/os-keypairs", "token": True, "timeout": "5s"}
    assert "compute.servers" in note(made, "elements.compute.urls[0]")[0]["text"]  # our table asks it already
    assert rows["fancy-store.things-list"]["component"] == "Fancy Store"
    assert rows["fancy-store.things-list"]["category"] == "Storage"
    assert rows["fancy-store.things-list-2"]["path"] == "/Things/List"
    assert rows["fancy-store.top"]["path"] == "/" and rows["fancy-store.other"]["path"] == "/other"
    assert rows["FancyThing.root"] is False and rows["database.versions"] is False
    assert rows["database.instances"] is False and "fancy-store.root" not in rows
    assert rows["telemetry.meters"]["service"] == "telemetry" and rows["legacy.root"] is False
    assert not [name for name in rows if "unchosen" in name]
    assert made["config"]["clouds"] == {"stage": {}, "prod": {}, "production": {"every": "10s"},
                                         "second": {"every": "20s"}}
    assert p["portal-portal.example.org"]["component"] == "Portal" and p["portal-portal.example.org"]["every"] == "10s"
    assert p["portal-login.example.org-ui-login"]["http"] == "https://login.example.org/ui/login"
    assert p["front-http-80"]["http"] == "http://192.0.2.10:80/" and p["front-http-80"]["every"] == "7s"
    assert p["front-https-443"]["http"]["verify"] is False and p["front-tcp-3333"]["tcp"] == "192.0.2.10:3333"
    assert p["front-tcp-3333"]["timeout"] == "3s" and "front-udp-53" not in p
    used = {(s["use"], s["every"]) for s in made["config"]["scenarios"]}
    assert used == {("api-tour", "10m"), ("server-login", "10m"), ("volume-life", "10m"), ("dns-zone", "10m")}
    own = p["own-staging-scenario1_login.yaml"]
    assert own["every"] == "15m" and own["exec"]["env"] == {"OS_CLOUD": "stage", "LANG": "C"}
    assert own["exec"]["git"] == "https://git.example.org/ops/own-tests" and own["exec"]["branch"] == "main"
    assert own["exec"]["run"] == "ansible-playbook -i inventory %s"
    assert own["exec"]["tasks"] == "checks/scenario1_login.yaml"
    assert p["own-staging-scenario2_disk.yaml"]["every"] == "1h"
    assert p["apimon-production-scenario23_ces.yaml"]["exec"]["statsd"] == "openstack.api.production.zone-a"
    judging = [n for n in made["notes"] if n["text"].startswith("judge: {cloudmon: ...}, read where it stands (")]
    assert {n["text"][-2] for n in judging} == {"1", "2"} and len(judging) == 3


# --- the documentation -------------------------------------------------------------------------------------------


def examples():
    with open(os.path.join(ROOT, "docs", "switching.md"), encoding="utf-8") as f:
        text = f.read()
    return re.findall(r"^```yaml ([a-z-]+)\n(.*?)^```\n\nbecomes\n\n```yaml\n(.*?)^```\n", text, re.S | re.M)


@pytest.mark.parametrize("program", PROGRAMS)
def test_examples_of_the_documentation(program, tmp_path):
    found = [e for e in examples() if e[0] == program]
    assert found
    for _, source, expected in found:
        (tmp_path / "x.yaml").write_text(source, encoding="utf-8")
        made = imported(program, tmp_path / "x.yaml")
        assert (made["config"] or made["endpoints"]) == yaml.safe_load(expected)
        assert made["counts"]["not carried"] == 0


# --- real files --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not os.path.isdir(PRODUCTION), reason="the public CloudMon production configuration is not there")
def test_the_public_production_configuration(tmp_path):
    """90 elements, 9 addresses, the catalog, and the rules that are the judge's."""
    made = imported("cloudmon", PRODUCTION)
    paths = glob.glob(os.path.join(PRODUCTION, "**", "*.yaml"), recursive=True)
    check_nothing_lost(paths, made["notes"])
    with open(os.path.join(PRODUCTION, "epmon.yaml"), encoding="utf-8") as f:
        elements = yaml.safe_load(f)["elements"]
    urls = sum(len(e.get("urls") or []) for e in elements.values())
    told = [n for n in made["notes"] if ".urls[" in n["what"] and n["what"].startswith("elements.")]
    assert len(told) == urls > 200 and all(n["fate"] in ("carried", "differently") for n in told)
    assert len(made["config"]["probes"]) == 9
    dropped = [n for n in made["notes"] if n["fate"] == "not carried"]
    assert all(n["what"].startswith("components[") for n in dropped)
    assert made["config"]["judge"] == {"cloudmon": os.path.realpath(os.path.join(PRODUCTION, "mp-prod"))}
    out = command("import", "cloudmon", "--out", tmp_path, PRODUCTION)
    assert out.returncode == 1, out.stderr
    checked = check(tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
