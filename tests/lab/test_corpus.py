"""The simulated cloud answers as the real one does, except where differences.yaml says why not.

Fails on a difference that is not listed, and on a listed one that is no more. CORPUS_SHOW=1 prints what
is new as lines for the list.
"""
import fnmatch
import os
import pathlib
import subprocess
import time

import pytest
import yaml

import corpus
from lab import CLOUD, GLASSHOUSE, difference, inventory

HERE = pathlib.Path(__file__).parent
GROUPS = corpus.load(HERE / "corpus.yaml")
LISTED = corpus.load(HERE / "differences.yaml") or {}


@pytest.fixture(scope="module")
def sim(tmp_path_factory):
    path = tmp_path_factory.mktemp("sim") / "clouds.yaml"
    process = subprocess.Popen([GLASSHOUSE, "simulate", "--clouds", str(path), "--speed", "20"],
                               stdout=subprocess.DEVNULL)
    end = time.monotonic() + 10
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)
    yield corpus.Cloud(yaml.safe_load(path.read_text())["clouds"]["sim"])
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="module")
def real():
    return corpus.Cloud(corpus.load(os.environ["OS_CLIENT_CONFIG_FILE"])["clouds"][CLOUD])


@pytest.mark.parametrize("service", list(GROUPS))
def test_corpus(service, real, sim, conn):
    if service not in sim.roots:
        pytest.skip(f"the simulated cloud has no {service} service")
    before = inventory(conn)
    lab_seen = corpus.play_group(real, service, GROUPS[service])
    sim_seen = corpus.play_group(sim, service, GROUPS[service])
    assert difference(before, inventory(conn)) == []
    listed = LISTED.get(service, {})
    used, new = set(), []
    for what, how in corpus.compare(lab_seen, sim_seen):
        patterns = [p for p in listed if fnmatch.fnmatchcase(what, p.replace("[]", "[[]]"))]
        used.update(patterns)
        if not patterns:
            new.append(f"{what}: {how}")
    if os.environ.get("CORPUS_SHOW"):
        print("\n".join(new))
    assert not new, f"{len(new)} differences that are not listed:\n" + "\n".join(new)
    stale = sorted(set(listed) - used)
    assert not stale, "listed differences that are no more:\n" + "\n".join(stale)
