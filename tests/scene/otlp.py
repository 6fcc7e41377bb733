"""The messages of an OTLP export of metrics as its JSON encoding has them, read strictly: a key that no message has,
a value of another type, two of what may be there once are all refused.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding: keys in lowerCamelCase, enumerations as numbers,
64-bit integers as decimal texts."""
import re

UINT64, INT64, UINT32, DOUBLE, BOOL, TEXT = "uint64", "int64", "uint32", "double", "bool", "text"
NUMBERS = {"exemplars": ["Exemplar"], "attributes": ["KeyValue"], "startTimeUnixNano": UINT64, "timeUnixNano": UINT64,
           "flags": UINT32}
MESSAGES = {
    "ExportMetricsServiceRequest": {"resourceMetrics": ["ResourceMetrics"]},
    "ResourceMetrics": {"resource": "Resource", "scopeMetrics": ["ScopeMetrics"], "schemaUrl": TEXT},
    "Resource": {"attributes": ["KeyValue"], "droppedAttributesCount": UINT32},
    "ScopeMetrics": {"scope": "InstrumentationScope", "metrics": ["Metric"], "schemaUrl": TEXT},
    "InstrumentationScope": {"name": TEXT, "version": TEXT, "attributes": ["KeyValue"],
                             "droppedAttributesCount": UINT32},
    "Metric": {"name": TEXT, "description": TEXT, "unit": TEXT, "gauge": "Gauge", "sum": "Sum",
               "histogram": "Histogram", "metadata": ["KeyValue"]},
    "Gauge": {"dataPoints": ["NumberDataPoint"]},
    "Sum": {"dataPoints": ["NumberDataPoint"], "aggregationTemporality": {1, 2}, "isMonotonic": BOOL},
    "Histogram": {"dataPoints": ["HistogramDataPoint"], "aggregationTemporality": {1, 2}},
    "NumberDataPoint": NUMBERS | {"asDouble": DOUBLE, "asInt": INT64},
    "HistogramDataPoint": NUMBERS | {"count": UINT64, "sum": DOUBLE, "bucketCounts": [UINT64],
                                     "explicitBounds": [DOUBLE], "min": DOUBLE, "max": DOUBLE},
    "Exemplar": {"filteredAttributes": ["KeyValue"], "timeUnixNano": UINT64, "asDouble": DOUBLE, "asInt": INT64,
                 "spanId": TEXT, "traceId": TEXT},
    "KeyValue": {"key": TEXT, "value": "AnyValue"},
    "AnyValue": {"stringValue": TEXT, "boolValue": BOOL, "intValue": INT64, "doubleValue": DOUBLE},
}
# Of these a message has one: it has no meaning with none or with two.
ONE_OF = {"Metric": ("gauge", "sum", "histogram"), "NumberDataPoint": ("asDouble", "asInt"),
          "AnyValue": ("stringValue", "boolValue", "intValue", "doubleValue")}
NEEDED = {"Metric": ("name",), "KeyValue": ("key", "value"), "NumberDataPoint": ("timeUnixNano",),
          "HistogramDataPoint": ("timeUnixNano", "count", "bucketCounts"), "Sum": ("aggregationTemporality",),
          "Histogram": ("aggregationTemporality",)}
LIMITS = {UINT64: (0, 2**64 - 1), INT64: (-2**63, 2**63 - 1), UINT32: (0, 2**32 - 1)}


class Wrong(ValueError):
    """What the encoding does not allow."""


class Message:
    """Its fields as attributes in snake_case; `one` is the name of that of which it has one."""

    def __init__(self, fields, one):
        self.__dict__.update(fields)
        self.one = one

    def value(self):
        return getattr(self, self.one)


def read(value, kind="ExportMetricsServiceRequest", place=""):
    """A message, or a value of a field, as its kind demands."""
    if isinstance(kind, list):
        if not isinstance(value, list):
            raise Wrong(f"{place}: expected a list, found {value!r}")
        return [read(v, kind[0], f"{place}[{i}]") for i, v in enumerate(value)]
    if isinstance(kind, set):
        if isinstance(value, bool) or value not in kind:
            raise Wrong(f"{place}: {value!r} is none of {kind}")
        return value
    return message(value, kind, place) if kind in MESSAGES else scalar(value, kind, place)


def message(value, kind, place):
    known = MESSAGES[kind]
    if not isinstance(value, dict):
        raise Wrong(f"{place}: expected a {kind}, found {value!r}")
    for key in value:
        if key not in known:
            raise Wrong(f"{place}: a {kind} has no {key!r}")
    for key in NEEDED.get(kind, ()):
        if key not in value:
            raise Wrong(f"{place}: a {kind} needs {key!r}")
    one = [key for key in ONE_OF.get(kind, ()) if key in value]
    if kind in ONE_OF and len(one) != 1:
        raise Wrong(f"{place}: a {kind} has one of {ONE_OF[kind]}, not {one}")
    fields = {snake(key): read(value[key], known[key], f"{place}.{key}") if key in value else absent(known[key])
              for key in known}
    return Message(fields, snake(one[0]) if one else None)


def absent(kind):
    return [] if isinstance(kind, list) else None


def scalar(value, kind, place):
    if kind in (UINT64, INT64):
        if not isinstance(value, str) or not re.fullmatch(r"-?(0|[1-9]\d*)", value):
            raise Wrong(f"{place}: expected a decimal text, found {value!r}")
        value = int(value)
    types = {TEXT: str, BOOL: bool, DOUBLE: (int, float)}.get(kind, int)
    if not isinstance(value, types) or (kind != BOOL and isinstance(value, bool)):
        raise Wrong(f"{place}: expected {kind}, found {value!r}")
    if kind in LIMITS and not LIMITS[kind][0] <= value <= LIMITS[kind][1]:
        raise Wrong(f"{place}: {value} is no {kind}")
    return value


def snake(key):
    return re.sub(r"[A-Z]", lambda m: "_" + m[0].lower(), key)
