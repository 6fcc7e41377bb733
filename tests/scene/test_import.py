"""What `glasshouse import oshm` prints is a configuration, and one of a scenario that there is."""
import os
import re
import subprocess

import pytest
import yaml

from serve import GLASSHOUSE, ROOT, run

SCRIPT = """#!/bin/bash
# starts the monitor of one cloud
export OS_CLOUD=${OS_CLOUD:-mycloud}
export IMG="Debian 12" JHIMG="Debian 12"
AZS="az1 az2" DEFLTUSER=debian
FROM=monitor@example.org
./api_monitor.sh -O -C -D -N 2 -n 8 -i 3 -s 12 -LL -b -B -M -T -R -X -a 2 -S mycloud -e ops@example.org "$@"
"""


def params_of(scenario):
    with open(os.path.join(ROOT, "scenarios", scenario + ".yaml"), encoding="utf-8") as f:
        return next(iter(yaml.safe_load_all(f)))["params"]


def imported(tmp_path, *arguments):
    out = run(tmp_path, "import", "oshm", *arguments)
    assert out.returncode in (0, 1), out.stderr
    return out, yaml.safe_load(out.stdout)


def check(tmp_path, text):
    path = tmp_path / "glasshouse.yaml"
    path.write_text(text, encoding="utf-8")
    (tmp_path / "clouds.yaml").write_text(
        "clouds: {mycloud: {auth: {auth_url: http://127.0.0.1:9, username: a, password: b, project_name: c}}}",
        encoding="utf-8")
    out = subprocess.run([GLASSHOUSE, "config", "check", "-c", str(path)], capture_output=True, text=True, timeout=60,
                         cwd=tmp_path, env={**os.environ, "OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml"),
                              "GLASSHOUSE_SCENARIOS": os.path.join(ROOT, "scenarios")},
                         check=False)
    assert out.returncode == 0, out.stdout + out.stderr


def test_script(tmp_path):
    script = tmp_path / "run_mycloud.sh"
    script.write_text(SCRIPT, encoding="utf-8")
    out, config = imported(tmp_path, str(script))
    assert out.returncode == 1 and f"{script}:7:" in out.stderr and "$@" in out.stderr
    scenario = config["scenarios"][0]
    assert scenario["use"] == "oshm" and scenario["cloud"] == "mycloud" and scenario["runs"] == 3
    assert scenario["params"]["boot"] == "batch" and scenario["params"]["lb"] == "TCP"
    assert config["metrics"][0]["dialect"] == "oshm" and config["alarms"][0]["mail"] == ["ops@example.org"]
    check(tmp_path, out.stdout)


@pytest.mark.parametrize("options", ["-O --os-cloud mycloud", "-d -n 2 -N 1 --os-cloud mycloud -S",
                                     "-z 10 -g 5 -G 6 -Z -vt fast -P -r 20 -3 -LP ovn --os-cloud mycloud",
                                     "-D -LO -4 -L -q -i 1 --os-cloud mycloud"])
def test_options_make_a_configuration(options, tmp_path):
    out, config = imported(tmp_path, options)
    assert set(config["scenarios"][0]["params"]) <= set(params_of("oshm"))
    check(tmp_path, out.stdout)


def test_every_parameter_is_the_scenarios():
    """All that the table names, whatever the options."""
    with open(os.path.join(ROOT, "src/import/oshm_table.c"), encoding="utf-8") as f:
        source = f.read()
    named = set(re.findall(r'\b(?:constant|text|number|one_more|provider|ovn|reshuffle|batch|image_boot|no_name_servers|'
                           r'size_of_volumes), "([a-z_0-9]+)"', source)) | set(re.findall(r'without\(o, "[^"]*", "(\w+)"',
                                                                                        source))
    assert len(named) > 25 and named <= set(params_of("oshm"))


def test_what_cannot_be(tmp_path):
    out = run(tmp_path, "import", "oshm", "-O -n")
    assert out.returncode == 2 and "options:1:4: -n needs a value" in out.stderr
    out = run(tmp_path, "import", "oshm", "/nonexistent/run.sh")
    assert out.returncode == 2 and "No such file" in out.stderr
    assert run(tmp_path, "import", "gatus", "x").returncode == 2
