"""The manual page against the program: every command, every option, every variable, and back."""
import os
import re
import subprocess

import pytest

from serve import ROOT, run

PAGE = os.path.join(ROOT, "docs/glasshouse.1")


def page():
    with open(PAGE, encoding="utf-8") as f:
        return f.read().replace("\\-", "-")


def section(title, text=None):
    found = re.search(rf'^\.SH "?{title}"?\n(.*?)(?=^\.SH |\Z)', text or page(), re.S | re.M)
    return found[1]


def commands(tmp_path):
    out = run(tmp_path, "--help")
    return re.findall(r"^  (\w+) ", out.stdout, re.M)


def of_command(name):
    found = re.search(rf'^\.SS "glasshouse {name}[^"]*"\n(.*?)(?=^\.S[SH] |\Z)', page(), re.S | re.M)
    assert found, name
    return found[1]


def test_lint():
    out = subprocess.run(["mandoc", "-Tlint", "-Wstyle", PAGE], capture_output=True, text=True, timeout=60)
    assert out.returncode == 0 and not out.stdout + out.stderr


def test_commands(tmp_path):
    shown = re.findall(r'^\.SS "glasshouse (\w+)', page(), re.M)
    assert shown == commands(tmp_path)
    for name in shown:
        assert f".B glasshouse {name}\n" in section("SYNOPSIS"), name


@pytest.mark.parametrize("name", ["run", "demo", "try", "plan", "sweep", "ledger", "series", "stats", "event",
                                  "maintenance", "config", "import", "doctor", "simulate", "judge"])
def test_options(name, tmp_path):
    """What --help lists stands in the command's part or, if several have it, among the common ones; no more."""
    listed = set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", run(tmp_path, name, "--help").stdout, re.M))
    common = set(re.findall(r"(?<![\w-])--[\w-]+", section("COMMON OPTIONS"))) - {"--help"}
    own = set(re.findall(r"^\.BI? (?:.*?)(--[\w-]+)", of_command(name), re.M))
    own |= set(re.findall(r'^\.BI --[\w-]+ .*?(--[\w-]+)', of_command(name), re.M))
    assert len(listed) >= 2
    assert own | (common & listed) == listed
    if name in ("try", "plan", "sweep", "ledger"):
        assert common <= listed


def test_tested_commands_are_all(tmp_path):
    assert set(commands(tmp_path)) == {"run", "demo", "try", "plan", "sweep", "ledger", "series", "stats", "event",
                                       "maintenance", "judge", "config", "import", "doctor", "simulate", "version"}


def test_exit_status(tmp_path):
    text = section("EXIT STATUS")
    for code in "012":
        assert f".B {code}\n" in text


def test_environment():
    named = set()
    for folder, _, files in os.walk(os.path.join(ROOT, "src")):
        for name in files:
            if name.endswith(".c"):
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    text = f.read()
                named |= set(re.findall(r'getenv\("(\w+)"\)', text))
                named |= set(re.findall(r'from_environment\("(\w+)"', text))
                named |= set(re.findall(r'find_file\("[\w-]+", "(\w+)"\)', text))
    shown = section("ENVIRONMENT")
    assert len(named) > 10 and not {n for n in named if n not in shown}


def test_examples_are_commands():
    lines = re.findall(r"^(?:\w+=\S+ )*glasshouse (\w+)(.*)$", section("EXAMPLES"), re.M)
    assert len(lines) >= 5
    for name, options in lines:
        for option in re.findall(r"--[\w-]+", options):
            assert option in of_command(name) or option in section("COMMON OPTIONS"), f"{name} {option}"
