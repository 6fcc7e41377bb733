"""docs/scenarios.md, executed: what it shows must work, what it shows as wrong must fail as it says.

Blocks by their info string: `yaml` is a whole scenario, `yaml steps` are steps beside two-servers, `yaml wrong`
must give exactly the `text` block behind it, `expr` holds lines "expression -> JSON".

Scenarios are read by `glasshouse plan` on a cloud that nobody serves: what does not fail to connect has
failed to parse. Where the simulated cloud offers the services they need, they are planned there too.
"""
import json
import os
import re

import pytest

from serve import ROOT, refusing, run, serve

DOC = os.path.join(ROOT, "docs/scenarios.md")
SERVICES = {"server": "compute", "keypair": "compute", "volume": "block-storage", "image": "image"}


def blocks():
    """(line, info, text, text of the `text` block right behind it) of each fenced block."""
    with open(DOC, encoding="utf-8") as f:
        text = f.read()
    found = []
    for m in re.finditer(r"^```(\w+(?: \w+)?)\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", text, re.S | re.M):
        if m[1] != "text":
            found.append((text.count("\n", 0, m.start()) + 1, m[1], m[2], m[3]))
    return found


def of(info):
    return [pytest.param(b, id=f"line-{b[0]}") for b in blocks() if b[1] == info]


def wrapped(steps):
    body = "".join("  " + line + "\n" for line in steps.splitlines())
    return "scenario: fragment\ninclude: two-servers\nresources:\n" + body


def plan(path, file, clouds, *args):
    return run(path, "plan", file, "--state", str(path / "state"), *args, clouds=clouds, cwd=path)


@pytest.fixture(scope="module")
def nowhere(tmp_path_factory):
    """A clouds.yaml of a cloud at a port that refuses."""
    with refusing() as port:
        file = tmp_path_factory.mktemp("nowhere") / "clouds.yaml"
        file.write_text(f"""clouds:
  sim:
    auth: {{auth_url: "http://127.0.0.1:{port}/v3", username: u, password: p, project_name: p}}
""")
        yield file


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """The clouds.yaml of a simulated cloud, and the types of the services in its catalog."""
    with serve() as served:
        types = {s["type"] for s in served.token()[1]}
        yield served.clouds, types | ({"block-storage"} if types & {"volumev3", "volume"} else set())


def assert_parses(path, text, nowhere, *args):
    (path / "doc.yaml").write_text(text)
    out = plan(path, "doc.yaml", nowhere, *args)
    assert out.returncode == 2 and "doc.yaml" not in out.stderr, out.stderr
    assert "cannot be reached" in out.stderr, out.stderr


def assert_plans(path, text, clouds_and_types, *args):
    """On the simulated cloud, if it has what the scenario asks for."""
    clouds, types = clouds_and_types
    needed = {"compute", "image"} if re.search(r"two-servers|\bimage: auto|_image: auto", text) else set()
    needed |= {s for k, s in SERVICES.items() if re.search(r"\{" + k + ":", text)}
    if not needed <= types:
        return False
    (path / "doc.yaml").write_text(text)
    out = plan(path, "doc.yaml", clouds, *args)
    assert out.returncode in (0, 1) and out.stdout, out.stderr
    return True


@pytest.mark.parametrize("block", of("yaml"))
def test_scenario(block, tmp_path, nowhere, simulated):
    _, _, text, _ = block
    given = ["--param", "who=me"] if "required:" in text else []
    assert_parses(tmp_path, text, nowhere, *given)
    assert_plans(tmp_path, text, simulated, *given)


def test_first_scenario_is_planned(tmp_path, simulated):
    """The catalog decides what is planned above; this one needs networks only, so it always is."""
    assert assert_plans(tmp_path, of("yaml")[0].values[0][2], simulated)


@pytest.mark.parametrize("block", of("yaml steps"))
def test_steps(block, tmp_path, nowhere, simulated):
    text = wrapped(block[2])
    assert_parses(tmp_path, text, nowhere)
    assert_plans(tmp_path, text, simulated)


@pytest.mark.parametrize("block", of("yaml wrong"))
def test_wrong(block, tmp_path, nowhere):
    _, _, text, expected = block
    assert expected, "no text block stands behind it"
    (tmp_path / "wrong.yaml").write_text(text)
    out = plan(tmp_path, "wrong.yaml", nowhere)
    assert out.returncode == 2
    assert out.stderr == expected


def test_expressions(tmp_path, simulated):
    lines = [line for b in blocks() if b[1] == "expr" for line in b[2].splitlines()]
    pairs = [re.split(r"\s+->\s+", line) for line in lines]
    assert len(pairs) > 30 and all(len(p) == 2 for p in pairs)
    # The body of a create is shown as it would be sent: an odd field of a network holds the value.
    steps = "".join("  e%d: {network: {x: %s}}\n" % (i, json.dumps("${%s}" % p[0])) for i, p in enumerate(pairs))
    (tmp_path / "expr.yaml").write_text("scenario: expr\nresources:\n" + steps)
    out = plan(tmp_path, "expr.yaml", simulated[0], "--json")
    assert out.returncode in (0, 1), out.stderr  # so many networks are over the quota
    bodies = {s["name"]: s["elements"][0]["body"]["network"] for s in json.loads(out.stdout)["steps"]}
    got = [(p[0], json.dumps(bodies[f"e{i}"].get("x"))) for i, p in enumerate(pairs)]
    assert got == [(p[0], json.dumps(json.loads(p[1]))) for p in pairs]


# --- tables against the source ---


def section(heading):
    with open(DOC, encoding="utf-8") as f:
        text = f.read()
    return re.search(r"^#+ " + heading + r"\n(.*?)(?=^#+ |\Z)", text, re.S | re.M)[1]


def first_column(text):
    cells = re.findall(r"^\| (`.*?) \|", text, re.M)
    return {name for cell in cells for name in re.findall(r"`(\w+)[`(]", cell)}


def source(*places):
    text = ""
    for place in places:
        folder = os.path.join(ROOT, "src", place)
        names = [folder] if folder.endswith((".c", ".def")) else [
            os.path.join(folder, n) for n in sorted(os.listdir(folder)) if n.endswith(".c")]
        for name in names:
            with open(name, encoding="utf-8") as f:
                text += f.read()
    return text


def test_faults():
    table = re.findall(r'^FAULT\(\w+, "(\w+)", (\w+), "([^"]+)"\)', source("base/fault.def"), re.M)
    expected = [f"| `{n}` | {whose.lower()} | {text} |" for n, whose, text in table if n != "none"]
    assert re.findall(r"^\| `.*\|$", section("Faults"), re.M) == expected


def test_kinds():
    table = source("openstack/kind_table.c")
    kinds = re.findall(r'(?:\{(?:NEUTRON|OCTAVIA|DESIGNATE)\(|\.name = )"(\w+)"', table)
    rows = re.findall(r"^\| `(\w+)` \| ([\w-]+) \| `(\w+ \S+)`", section("Kinds"), re.M)
    assert [r[0] for r in rows] == kinds
    for name, service, create in rows:
        if service in ("load-balancer", "dns"):
            macro = {"load-balancer": "OCTAVIA", "dns": "DESIGNATE"}[service]
            assert re.search(rf'{macro}\("{name}",( "\w+",)? "{re.escape(create[5:])}"', table), name
        elif service != "network":
            assert f'"{service}"' in table and f'"{create}"' in table, name
        elif not create.startswith("PUT"):
            assert re.search(rf'NEUTRON\("{name}", "\w+", "{create[6:]}"', table), name


def test_verbs():
    text = source("observe/scenario")
    verbs = set(re.findall(r'^\t\{"(\w+)", VERB_', text, re.M))
    assert len(verbs) > 10 and first_column(section("Verbs")) == verbs


def test_body_keys():
    """The keys of each verb's body, as the reader knows them, stand in its row."""
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section("Verbs"), re.M))
    for verb, keys in re.findall(r'^\t\{"(\w+)", VERB_\w+, "([\w ]+)"', source("observe/scenario"), re.M):
        for key in keys.split():
            assert re.search(rf"\b{key}\b", rows[verb]), f"{verb}: {key}"


def test_keys_of_steps():
    text = source("observe/scenario")
    table = re.search(r"\} places\[\] = \{(.*?)^\};", text, re.S | re.M)[1]
    keys = set(re.findall(r'^\t\{"(\w+)",', table, re.M))
    assert len(keys) > 25 and first_column(section("Keys of steps")) == keys


def test_keys_of_files():
    table = re.search(r"top_keys\[\] = \{(.*?)^\};", source("observe/scenario"), re.S | re.M)[1]
    assert first_column(section("A first scenario")) == set(re.findall(r'^\t\{"(\w+)",', table, re.M))


def test_functions():
    text = source("text/expr_functions.c", "observe/scenario")
    known = set(re.findall(r'^\t\{"(\w+)", \d, \d, (?:do_|only_)', text, re.M))
    known |= set(re.findall(r'\{"(\w+)", \d, \d, "', text))
    assert len(known) > 15 and first_column(section("Values and expressions")) - {"in"} == known


def test_pickers():
    table = re.search(r"pickers\[PICK_COUNT\] = \{(.*?)^\};", source("observe/scenario"), re.S | re.M)[1]
    assert first_column(section("Inputs")) == set(re.findall(r'= \{"(\w+)"', table))


def test_measurements():
    text = source("observe/scenario")
    names = set(re.findall(r'(?:check_measure_\w+|put_time)\(\s*\w+,\s*"([A-Z_0-9]+)"', text))
    names |= set(re.findall(r'json_object_set(?:_new)?\(\s*(?:c->measured|measured|m),\s*"([A-Z_0-9]+)"', text))
    shown = set(re.findall(r"`\[([A-Z_0-9]+)\]`", section("What is measured")))
    assert len(names) > 20 and shown == names


def test_pictures():
    """Each picture that a page shows is there, and each that is there is shown."""
    folder = os.path.join(ROOT, "docs")
    pages = [os.path.join(ROOT, "README.md"), *(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(".md"))]
    shown = set()
    for page in pages:
        with open(page, encoding="utf-8") as f:
            shown |= {os.path.normpath(os.path.join(os.path.dirname(page), path))
                      for path in re.findall(r"!\[[^\]]+\]\(([^)]+\.png)\)", f.read())}
    there = {os.path.join(folder, "screenshots", f) for f in os.listdir(os.path.join(folder, "screenshots"))}
    assert shown == there
    assert [p for p in there if os.path.getsize(p) > 400000] == []
