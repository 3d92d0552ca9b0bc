#!/usr/bin/env python3
"""Extracts the operations of operations.txt from GitHub's OpenAPI description into github.json.

Usage: extract.py [--check]    with --check nothing is written, and a github.json that is out of step is an error.

The package is fetched with `npm pack` and kept in ${XDG_CACHE_HOME:-~/.cache}/chartflow-tools.

The description (OpenAPI 3.0) is published by GitHub in the MIT-licensed npm package named below. Kept are, for each
operation: method, path, query parameters, the schema of the body and of every answer, and the schemas these refer to.
Left out are descriptions and examples. `nullable: true`, which JSON Schema does not know, becomes a type that
includes null.
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

PACKAGE = "@octokit/openapi@23.0.2"
SHA256 = "71a18407dd5e8464f4e0525daf03deabbe65abd9287d6adc7b5d98f516cd0d0c"
MEMBER = "package/generated/api.github.com.json"
# Words about a schema that say nothing of what is valid.
DROPPED = {"description", "example", "examples", "title", "externalDocs", "deprecated", "discriminator", "xml", "default"}

here = pathlib.Path(__file__).resolve().parent


def archive():
    """The pinned package, from the cache where it is there unchanged."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "chartflow-tools"
    cached = cache / f"{PACKAGE.strip('@').replace('/', '-')}.tgz"
    if cached.exists() and hashlib.sha256(cached.read_bytes()).hexdigest() == SHA256:
        return cached
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as directory:
        name = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=directory, check=True, capture_output=True, text=True).stdout.split()[-1]
        fetched = pathlib.Path(directory) / name
        digest = hashlib.sha256(fetched.read_bytes()).hexdigest()
        if digest != SHA256:
            sys.exit(f"the package has the digest {digest}, not {SHA256}")
        fetched.replace(cached)
    return cached


def load():
    with tarfile.open(archive()) as tar:
        return json.load(tar.extractfile(MEMBER))


if sys.argv[1:] not in ([], ["--check"]):
    sys.exit("usage: extract.py [--check]")
document = load()
definitions = {}


def resolve(node):
    while "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def schema(node, names=False):
    """A schema in JSON Schema draft 4, with references into `definitions`. With `names`, the keys are property names."""
    if isinstance(node, list):
        return [schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    if names:
        return {key: schema(value) for key, value in node.items()}
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        if name not in definitions:
            definitions[name] = None
            definitions[name] = schema(resolve(node))
        return {"$ref": f"#/definitions/{name}"}
    made = {}
    for key, value in node.items():
        if key in DROPPED or key == "nullable" or key.startswith("x-"):
            continue
        if key == "enum" or key == "required":
            made[key] = value
        else:
            made[key] = schema(value, names=key == "properties")
    if node.get("nullable"):
        if any(key in made for key in ("allOf", "anyOf", "oneOf", "$ref")) or "type" not in made:
            made = {"anyOf": [made, {"type": "null"}]}
        else:
            made["type"] = [made["type"], "null"]
            if "enum" in made and None not in made["enum"]:
                made["enum"] = made["enum"] + [None]
    return made


def content(node):
    return {kind: schema(body.get("schema", {})) for kind, body in resolve(node).get("content", {}).items()}


def main():
    wanted = (here / "operations.txt").read_text().split()
    operations = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if not isinstance(operation, dict) or operation.get("operationId") not in wanted:
                continue
            parameters = [resolve(parameter) for parameter in operation.get("parameters", [])]
            made = {
                "method": method.upper(),
                "path": path,
                "query": {p["name"]: schema(p["schema"]) for p in parameters if p["in"] == "query"},
                "responses": {status: content(response) for status, response in operation["responses"].items()},
            }
            if "requestBody" in operation:
                made["request"] = content(operation["requestBody"])
            operations[operation["operationId"]] = made
    missing = sorted(set(wanted) - set(operations))
    if missing:
        sys.exit(f"not described: {', '.join(missing)}")
    source = {"package": PACKAGE, "sha256": SHA256, "version": document["info"]["version"]}
    made = {"source": source, "operations": dict(sorted(operations.items())), "definitions": dict(sorted(definitions.items()))}
    # One definition a line keeps differences readable.
    lines = ["{", f'"source":{dump(source)},']
    for part, last in (("operations", False), ("definitions", True)):
        items = [f"{dump(name)}:{dump(value)}" for name, value in made[part].items()]
        lines.append(f'"{part}":{{')
        lines.append(",\n".join(items))
        lines.append("}" if last else "},")
    lines.append("}")
    text, output = "\n".join(lines) + "\n", here / "github.json"
    if not sys.argv[1:]:
        output.write_text(text)
    elif output.read_text() != text:
        sys.exit("sandbox/openapi/github.json is out of step; run sandbox/openapi/extract.py")
    else:
        print("sandbox/openapi/github.json is in step")


def dump(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


main()
