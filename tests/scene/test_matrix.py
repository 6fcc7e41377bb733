"""A sample of the fault matrix (matrix.py): CELLS (20) cells drawn by SAMPLE (1), or all with CELLS=all."""
import json
import os
import random

import pytest

import matrix

CELLS = os.environ.get("CELLS", "20")
NAMES = list(matrix.cells())
if CELLS != "all":
    NAMES = sorted(random.Random(int(os.environ.get("SAMPLE", "1"))).sample(NAMES, int(CELLS)))


@pytest.mark.parametrize("name", NAMES)
def test_cell(name):
    seen = matrix.play(name)
    if "MATRIX_LOG" in os.environ:  # one line a cell; a line is written at once
        with open(os.environ["MATRIX_LOG"], "a", encoding="utf-8") as f:
            f.write(json.dumps(seen) + "\n")
    assert matrix.judge(name, seen) == [], json.dumps(seen, indent=1)[:6000]
