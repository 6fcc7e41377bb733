"""docs/formats/series.md is enough to read the files: a reader written from that page alone, against a day
of three probes. What it adds up from samples must be what it finds in the values of ten minutes, hours and days."""
import collections
import ctypes
import glob
import json
import os
import sqlite3
import struct
import subprocess
import zlib

import pytest

from simulated import GLASSHOUSE, Simulated

BUILD = os.path.dirname(os.path.dirname(GLASSHOUSE))
ZSTD = ctypes.CDLL("libzstd.so.1")
ZSTD.ZSTD_decompress.restype = ctypes.c_size_t
DAY = 86400000


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        assert self.at <= len(self.data)
        return self.data[self.at - n:self.at]

    def byte(self):
        return self.take(1)[0]

    def varint(self):
        value = shift = 0
        while True:
            b = self.byte()
            value |= (b & 127) << shift
            shift += 7
            if b < 128:
                return value

    def zigzag(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def real(self):
        return struct.unpack("<d", self.take(8))[0]

    def faults(self):
        return ["none"] + [self.take(self.varint()).decode() for _ in range(self.varint())]

    def runs(self):
        while self.at < len(self.data):
            value, n = self.varint(), self.varint()
            yield from [value] * n

    def histogram(self):
        found, following = {}, 0
        for _ in range(self.varint()):
            b = self.byte()
            gap = self.varint() if b >> 4 == 15 else b >> 4
            count = b & 15 or self.varint()
            found[following + gap] = count
            following += gap + 1
        return found


def index(v, b):
    if v < 2 << b:
        return v
    s = v.bit_length() - 1 - b
    return (s << b) + (v >> s)


def middle(i, b):
    if i < 2 << b:
        return i
    s = (i >> b) - 1
    return ((i & (1 << b) - 1) + (1 << b) << s) + (1 << s >> 1)


def checked(data):
    assert struct.unpack("<I", data[-4:])[0] == zlib.crc32(data[:-4])
    return Bytes(data[:-4])


def block(data):
    b = checked(data)
    assert b.take(2) == b"G\1"
    kind, flags, t0, step, n = b.byte(), b.byte(), b.varint(), b.varint(), b.varint()
    heads = [(b.byte(), b.byte(), b.varint()) for _ in range(b.varint())]
    payload = b.data[b.at:]
    if flags & 1:
        length = sum(h[2] for h in heads)
        out = ctypes.create_string_buffer(length)
        assert ZSTD.ZSTD_decompress(out, length, payload, len(payload)) == length
        payload = out.raw
    p = Bytes(payload)
    columns = {kind_: (codec, Bytes(p.take(length))) for kind_, codec, length in heads}
    assert p.at == len(payload)
    return kind, flags, t0, step, n, columns


def probe_samples(data):
    kind, flags, t, step, n, columns = block(data)
    assert kind == 0 and not flags & 2
    names = columns[2][1].faults()
    faults = [names[code] for code in columns[2][1].runs()]
    tries = list(columns[3][1].runs())
    bases = {c: columns[c][1].varint() for c in range(16, 22) if c in columns}
    assert len(faults) == len(tries) == n
    for i in range(n):
        if i:
            t += step + columns[1][1].zigzag()
        phases = []
        for c, base in bases.items():
            code = columns[c][1].varint()
            code -= 1
            phases.append(middle(base + (code >> 1 ^ -(code & 1)), 5) if code >= 0 else 0)
        yield t, faults[i], middle(index(sum(phases), 5) + columns[22][1].zigzag(), 5)
    assert all(c.at == len(c.data) for _, c in columns.values())


def slots(data):
    kind, flags, t0, step, n, columns = block(data)
    assert kind == 0 and flags & 2

    def numbers(which):
        if which not in columns:
            return [0] * n
        codec, c = columns[which]
        before, found = 0, []
        for _ in range(n):
            before = before + c.zigzag() if codec == 1 else c.real()
            found.append(before)
        return found

    at, count, missed = numbers(32), numbers(33), numbers(34)
    sums = [sum(all_) for all_ in zip(numbers(36), *(numbers(40 + i) for i in range(6)))]
    low, high = numbers(37), numbers(38)
    names = columns[35][1].faults() if 35 in columns else []
    for i in range(n):
        faults = {}
        for _ in range(columns[35][1].varint() if names else 0):
            code = columns[35][1].varint()
            faults[names[code]] = columns[35][1].varint()
        yield (t0 + at[i] * step, count[i], count[i] - missed[i], faults, sums[i], low[i], high[i],
               columns[39][1].histogram() if 39 in columns else {})
    assert all(c.at == len(c.data) for _, c in columns.values())


def rows(path, sql):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute(sql).fetchall()


@pytest.fixture(scope="module", name="place")
def one_day(tmp_path_factory):
    place = str(tmp_path_factory.mktemp("day"))
    program = "tests/bench/bench-series"
    subprocess.run(["ninja", "-C", BUILD, program], stdout=subprocess.DEVNULL, check=True, timeout=300)
    out = subprocess.run([os.path.join(BUILD, program), place, "3"], capture_output=True, check=True, timeout=200)
    assert json.loads(out.stdout)["runs"] == 3 * 8640
    return os.path.join(place, "series")


def test_roll_ups_are_the_samples_added_up(place):
    wanted = {step: collections.defaultdict(lambda: [0, 0, {}, 0, None, None, {}])
              for step in (600000, 3600000, DAY)}
    oldest = None
    for file in sorted(glob.glob(place + "/raw-*.db")):
        for id_, data in rows(file, "SELECT id, data FROM block"):
            series, hour = id_ & 0xffffffff, id_ >> 36
            for t, fault, total in probe_samples(data):
                assert t // 3600000 == hour
                oldest = min(t, oldest or t)
                for step, points in wanted.items():
                    p = points[series, t // step * step]
                    p[0] += 1
                    if fault != "none":
                        p[2][fault] = p[2].get(fault, 0) + 1
                        continue
                    p[1] += 1
                    p[3] += total
                    p[4] = total if p[4] is None else min(p[4], total)
                    p[5] = total if p[5] is None else max(p[5], total)
                    p[6][index(total, 4)] = p[6].get(index(total, 4), 0) + 1
    assert sum(p[0] for p in wanted[DAY].values()) >= 3 * 8640
    begin = (oldest // DAY + 1) * DAY  # the first day whose samples are all still kept
    for step, pattern in ((600000, "10m-*.db"), (3600000, "1h-*.db"), (DAY, "days.db")):
        compared = 0
        for file in glob.glob(f"{place}/{pattern}"):
            for id_, data in rows(file, "SELECT id, data FROM block"):
                for at, n, ok, faults, total, low, high, hist in slots(data):
                    if at < begin:
                        continue
                    want = wanted[step].pop((id_ >> 24, at))
                    assert [n, ok, faults, hist] == [want[0], want[1], want[2], want[6]]
                    assert total == pytest.approx(want[3], rel=1 / 64)
                    if ok:
                        assert (low, high) == pytest.approx((want[4], want[5]), rel=1 / 64)
                    compared += 1
        assert compared >= 3
        assert not [at for _, at in wanted[step] if at >= begin]


def test_the_tail_is_what_the_runs_measured():
    with Simulated() as cloud:
        out = cloud.run("try", "network-basics", "--json")
        report = json.loads(out.stdout.splitlines()[-1])
        place = os.path.join(cloud.place, "state/series")
        names = dict(rows(place + "/catalog.db", "SELECT id, name FROM series"))
        found = {}
        for hour, data in rows(place + "/tail.db", "SELECT hour, data FROM row ORDER BY seq"):
            b = checked(data)
            assert b.take(2) == b"T\1"
            t, faults = b.varint(), b.faults()
            series = [(b.varint(), b.byte()) for _ in range(b.varint())]
            for _ in range(b.varint()):
                id_, kind = series[b.varint()]
                t += b.zigzag()
                assert kind == 0 and t // 3600000 == hour
                fault, tries, mask = faults[b.varint()], b.varint(), b.varint()
                phases = [b.varint() for i in range(6) if mask >> i & 1]
                total = b.varint()
                assert sum(phases) <= total + 2
                if names[id_] not in ("call", "wait", "check"):  # figures over time, several samples each
                    assert (fault, tries) == ("none", 1)
                    found[names[id_]] = total
            assert b.at == len(b.data)
    steps = {s["name"]: s for s in report["steps"] if s["state"] == "ready"}
    assert set(found) == {"network-basics"} | {"network-basics." + s.split("[")[0] for s in steps}
    for name, step in steps.items():
        if "[" in name:  # several in one series
            continue
        assert found["network-basics." + name] / 1e3 == pytest.approx(step["ready_ms"] - step["start_ms"], abs=0.01)
