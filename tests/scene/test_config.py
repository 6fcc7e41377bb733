"""glasshouse config: what is wrong in one pass, what is in force, and docs/configuration.md executed.

Blocks of the page by their info string: `yaml` is a whole configuration that `config check` finds fine, `yaml wrong`
gives exactly the `text` block behind it.
"""
import json
import os
import re

import pytest
import yaml

from serve import ROOT, run

DOC = os.path.join(ROOT, "docs/configuration.md")
CLOUD = "auth: {auth_url: 'http://127.0.0.1:9/v3', username: u, password: p, project_name: p}"


def blocks():
    with open(DOC, encoding="utf-8") as f:
        text = f.read()
    return [(text.count("\n", 0, m.start()) + 1, m[1], m[2], m[3])
            for m in re.finditer(r"^```(\w+(?: \w+)?)\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", text, re.S | re.M)
            if m[1] != "text"]


def of(info):
    return [pytest.param(b, id=f"line-{b[0]}") for b in blocks() if b[1] == info]


@pytest.fixture
def clouds(tmp_path):
    """A clouds.yaml with every cloud that is named here; nobody serves them."""
    file = tmp_path / "clouds.yaml"
    file.write_text("clouds:\n" + "".join(f"  {name}: {{{CLOUD}}}\n" for name in ("prod", "mycloud", "lab")))
    return file


def config(tmp_path, clouds, *args, text=None, **more):
    if text is not None:
        (tmp_path / "glasshouse.yaml").write_text(text)
    return run(tmp_path, "config", *args, clouds=clouds, cwd=tmp_path, **more)


# --- the page ---


@pytest.mark.parametrize("block", of("yaml"))
def test_example(block, tmp_path, clouds):
    out = config(tmp_path, clouds, "check", text=block[2])
    assert out.returncode == 0 and not out.stderr, out.stderr
    read = yaml.safe_load(block[2])
    for noun in ("cloud", "scenario", "alarm", "probe"):
        n = len(read.get(noun + "s", ()))
        if noun == "probe" and not n:
            continue
        assert f"{n} {noun}{'' if n == 1 else 's'}" in out.stdout


@pytest.mark.parametrize("block", of("yaml wrong"))
def test_wrong(block, tmp_path, clouds):
    assert block[3], "no text block stands behind it"
    out = config(tmp_path, clouds, "check", text=block[2])
    assert out.returncode == 1 and not out.stdout
    assert out.stderr == block[3]


def section(heading):
    with open(DOC, encoding="utf-8") as f:
        text = f.read()
    return re.search(r"^#+ " + heading + r"\n(.*?)(?=^#+ |\Z)", text, re.S | re.M)[1]


TABLES = {"The top": "top_keys", "site": "site_keys", "listen": "listen_keys", "faces": "face_keys", "keep": "keep_keys",
          "judge": "judge_keys", "clouds": "cloud_keys", "scenarios": "scenario_keys",
          "components": "component_keys", "alarms": "alarm_keys", "server": "server_keys",
          "metrics": "metrics_keys", "cloudmon": "cloudmon_keys", "maintenance": "maintenance_keys"}


@pytest.mark.parametrize("heading", TABLES)
def test_keys(heading):
    """Every key the reader knows stands in the table of its map, and no other; those it refuses are named."""
    text = ""
    for name in ("read", "list", "alarm", "metrics", "maintenance"):
        with open(os.path.join(ROOT, f"src/cli/config_{name}.c"), encoding="utf-8") as f:
            text += f.read()
    table = re.search(TABLES[heading] + r"\[\] = \{(.*?)\};", text, re.S)[1]
    known = re.findall(r'(?:\{|TOP\(|KEEP\(|CLOUD\(|ITEM\(|NODE\(|PART\(|FACE\(|SERVER\(|TO\()"(\w+)"([^})]*)', table)
    refused = {name for name, rest in known if "later" in rest}
    shown = re.findall(r"^\| `(\w+)` \|", section(heading), re.M)
    assert len(shown) == len(set(shown)) and set(shown) == {name for name, _ in known} - refused
    for name in refused:
        assert f"`{name}`" in section("The top")


# --- check ---


def test_nothing(tmp_path):
    out = config(tmp_path, None, "check")
    if not os.path.exists("/etc/glasshouse/glasshouse.yaml"):
        assert out.returncode == 0
        assert out.stdout == "no configuration file, all is default: 0 clouds, 0 scenarios, 0 alarms\n"


def test_could_not_read(tmp_path):
    out = config(tmp_path, None, "check", "-c", "absent.yaml")
    assert out.returncode == 2
    assert out.stderr == "absent.yaml: cannot read: No such file or directory\n"


@pytest.mark.parametrize("args", [[], ["look"], ["check", "show"], ["check", "--json"], ["show", "--nonsense"]])
def test_arguments(args, tmp_path):
    out = config(tmp_path, None, *args)
    assert out.returncode == 2 and out.stderr and not out.stdout


def test_what_it_leads_to(tmp_path, clouds):
    """Clouds that are not there, scenarios that are not, are wrong, or get wrong parameters."""
    (tmp_path / "broken.yaml").write_text("scenario: broken\nresources:\n  net: {netwrk: {}}\n")
    out = config(tmp_path, clouds, "check", text="""clouds: {prod: , labb: }
scenarios:
  - {use: volume-lif, cloud: prod}
  - {use: broken.yaml, cloud: prod}
  - {use: broken.yaml, cloud: labb}
  - {use: server-login, cloud: prod, params: {serverz: 2}}
alarms:
  - {mail: a@example.org, server: {host: h, from: b@example.org, ca: nowhere.pem}}
""")
    assert out.returncode == 1
    lines = out.stderr.splitlines()
    assert len(lines) == 5, out.stderr
    assert re.match(r'.*clouds.yaml:2:3: no cloud "labb", did you mean "lab"', lines[0])
    assert lines[1] == 'broken.yaml:3:9: step net: "netwrk" is no key, verb or kind; did you mean "network"?'
    assert lines[2].startswith('glasshouse.yaml:3:5: no scenario "volume-lif"')
    assert lines[3] == ('glasshouse.yaml:6:5: server-login has no param "serverz"; did you mean "servers"?')
    assert lines[4].startswith("glasshouse.yaml:8:5: a mail server: cannot read ca nowhere.pem")


def test_no_cloud(tmp_path):
    out = config(tmp_path, None, "check", text="scenarios: [{use: volume-life}]\n")
    assert out.returncode == 1
    assert out.stderr == "glasshouse.yaml:1:13: a scenario: in which cloud? There is none in `clouds`\n"


def test_conf_d(tmp_path, clouds):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/a.yaml").write_text("clouds: {lab: }\n")
    (tmp_path / "conf.d/b.yaml").write_text("scenarios: [{use: network-basics, cloud: lab}]\n")
    out = config(tmp_path, clouds, "check", text="clouds: {prod: }\n")
    assert out.returncode == 0, out.stderr
    assert out.stdout == "glasshouse.yaml and 2 of conf.d: 2 clouds, 1 scenario, 0 alarms\n"


def test_rules_of_cloudmon(tmp_path, clouds):
    """What is odd about them is said and no error; what cannot be read is one, at its own place."""
    rules = tmp_path / "rules.yaml"
    rules.write_text("metric_templates:\n  t: {query: 'sumSeries(a.$service.count)', op: lt, threshold: 1}\n")
    text = "clouds: {prod: }\njudge: {cloudmon: rules.yaml}\n"
    out = config(tmp_path, clouds, "check", text=text)
    assert out.returncode == 0, out.stderr
    assert out.stderr.splitlines()[0].endswith('rules.yaml:2:6: no flag uses the template "t"')
    rules.write_text("metric_templates:\n  t: {query: 'sumSeries(', op: lt, threshold: 1}\n")
    out = config(tmp_path, clouds, "check", text=text)
    assert out.returncode == 1 and "rules.yaml:2:14: query of" in out.stderr
    text = "clouds: {prod: }\njudge: {cloudmon: {config: absent.yaml}}\n"
    out = config(tmp_path, clouds, "check", text=text)
    assert out.returncode == 1 and "absent.yaml" in out.stderr
    for wrong, why in (("{datasource: own}", "config is missing"), ("{config: a, datasource: moon}", "datasource must be"),
                       ("{config: a, prometheus: moon}", "is not an address"), ("[a]", "expected the path")):
        out = config(tmp_path, clouds, "check", text=f"clouds: {{prod: }}\njudge: {{cloudmon: {wrong}}}\n")
        assert out.returncode == 1 and why in out.stderr and "glasshouse.yaml:2:" in out.stderr, out.stderr


# --- show ---


def test_show_gives_itself(tmp_path, clouds):
    text = of("yaml")[0].values[0][2]
    first = config(tmp_path, clouds, "show", text=text)
    assert first.returncode == 0 and first.stdout.startswith("# glasshouse.yaml\n")
    again = config(tmp_path, clouds, "show", text=first.stdout)
    assert again.stdout == first.stdout
    as_json = json.loads(config(tmp_path, clouds, "show", "--json").stdout)
    assert as_json == yaml.safe_load(first.stdout)
    assert as_json["clouds"]["prod"]["timeout"] == "10s"
    assert as_json["alarms"][0]["token"] == "file:hook-token"


def test_show_has_no_secret(tmp_path, clouds):
    (tmp_path / "t").write_text("very-secret\n")
    (tmp_path / "t").chmod(0o600)
    out = config(tmp_path, clouds, "show", text="alarms: [{webhook: 'http://h/', token: 'file:t'}]\n")
    assert out.returncode == 0
    assert "very-secret" not in out.stdout and "file:t" in out.stdout


def test_show_wrong(tmp_path, clouds):
    out = config(tmp_path, clouds, "show", text="instanc: x\n")
    assert out.returncode == 1 and not out.stdout
    assert 'did you mean "instance"?' in out.stderr
