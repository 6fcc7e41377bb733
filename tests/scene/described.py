"""web/openapi.yaml, to hold answers against."""
import os

import jsonschema
import yaml

from simulated import ROOT


def _as_json_schema(node):
    """OpenAPI 3.0 says `nullable` where JSON Schema has a type more."""
    if isinstance(node, list):
        return [_as_json_schema(n) for n in node]
    if not isinstance(node, dict):
        return node
    node = {key: _as_json_schema(value) for key, value in node.items()}
    if node.pop("nullable", False) is True and isinstance(node.get("type"), str):
        node["type"] = [node["type"], "null"]
    return node


def described():
    with open(os.path.join(ROOT, "web/openapi.yaml"), encoding="utf-8") as f:
        return yaml.safe_load(f)


def fits(document, schema):
    """Fails where the document is not as the description's schema of that name says."""
    whole = {"$ref": f"#/components/schemas/{schema}", "components": _as_json_schema(described()["components"])}
    jsonschema.validate(document, whole)
