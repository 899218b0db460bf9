"""Checks the objects of a kustomization that belong to SpinKube, and that all fit together:
`spinkube.py OBJECTS NATIVE`. What Kubernetes itself defines is written to NATIVE, for its own schemas."""

import json
import os
import pathlib
import re
import sys
import tomllib

import jsonschema
import yaml

SCHEMA = json.loads(pathlib.Path("tests/data/spinkube/spinapp.schema.json").read_text())
MANIFEST = tomllib.loads(pathlib.Path("spin-wasip2.toml").read_text())
SECRETS = {"taskie", "taskie-migrate"}


def closed(schema: dict) -> dict:
    """The schema of a definition, as the API server reads it with `--validate=strict`: unknown fields are errors."""
    if isinstance(schema, dict):
        schema = {key: closed(value) for key, value in schema.items()}
        if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
        return schema
    return [closed(value) for value in schema] if isinstance(schema, list) else schema


def definition(path: str) -> dict:
    """The schema of a SpinApp in a CustomResourceDefinition."""
    for document in yaml.safe_load_all(pathlib.Path(path).read_text()):
        if document and document.get("spec", {}).get("names", {}).get("kind") == "SpinApp":
            version = next(version for version in document["spec"]["versions"] if version["name"] == "v1alpha1")
            schema = closed(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            return schema
    raise SystemExit(f"error: {path} does not define SpinApp")


def mistakes(value: object):
    """Copies of a value with one mistake each: a field that does not exist or is missing, or a value of another type.
    Each comes with whether any schema has to refuse it."""
    yield [[]], True
    if isinstance(value, dict):
        yield {**value, "noSuchField": [[]]}, True
        for key, inner in value.items():
            yield {other: value[other] for other in value if other != key}, False
            for mistake, certain in mistakes(inner):
                yield {**value, key: mistake}, certain
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            for mistake, certain in mistakes(inner):
                yield [*value[:index], mistake, *value[index + 1:]], certain
    else:
        yield "1.2.3", False
        yield -1, False


def secret_references(value: object):
    """Every `secretKeyRef` below a value."""
    if isinstance(value, dict):
        if "secretKeyRef" in value:
            yield value["secretKeyRef"]
        for inner in value.values():
            yield from secret_references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from secret_references(inner)


def problems(objects: list[dict]):
    by_kind = {}
    for item in objects:
        by_kind.setdefault(item["kind"], []).append(item)
    wanted = {"SpinApp", "HorizontalPodAutoscaler", "PodDisruptionBudget", "Job"}
    if set(by_kind) != wanted:
        yield f"the kinds are {sorted(by_kind)}, not {sorted(wanted)}"
        return
    [app], [scaler], [budget], [job] = (by_kind[kind] for kind in
                                        ("SpinApp", "HorizontalPodAutoscaler", "PodDisruptionBudget", "Job"))
    validators = [jsonschema.Draft202012Validator(SCHEMA)]
    if crd := os.environ.get("SPINKUBE_CRD"):
        validators.append(jsonschema.Draft202012Validator(definition(crd)))
    for validator in validators:
        for error in validator.iter_errors(app):
            yield f"SpinApp: {'.'.join(map(str, error.absolute_path))}: {error.message}"
    # The schema here is as strict as that of an installation.
    for spec, certain in mistakes(app["spec"]):
        wrong = {**app, "spec": spec}
        refused = certain or not all(validator.is_valid(wrong) for validator in validators[1:])
        if refused and validators[0].is_valid(wrong):
            yield f"the schema of SpinApp takes a mistake: {json.dumps(spec)}"

    spec, name = app["spec"], app["metadata"]["name"]
    if not spec.get("enableAutoscaling") or scaler["spec"]["scaleTargetRef"] != {
            "apiVersion": "apps/v1", "kind": "Deployment", "name": name}:
        yield "the autoscaler and the SpinApp do not belong together"
    if budget["spec"]["selector"]["matchLabels"] != {"core.spinkube.dev/app-name": name}:
        yield "the disruption budget selects other pods than SpinKube makes for the SpinApp"
    if scaler["spec"].get("minReplicas", 1) < 2 or "maxUnavailable" not in budget["spec"]:
        yield "with one pod, draining its node stops the service"
    paths = {kind: check["httpGet"]["path"] for kind, check in spec["checks"].items()}
    if paths != {"liveness": "/health", "readiness": "/health/db"}:
        yield f"the probes are {paths}"

    # The variables are those of the manifest; what is secret there comes from a Secret here.
    declared = MANIFEST["variables"]
    given = {variable["name"]: variable for variable in spec["variables"]}
    for variable, value in given.items():
        if variable not in declared:
            yield f"`{variable}` is not a variable of the application"
        elif declared[variable].get("secret") and "valueFrom" not in value:
            yield f"the value of `{variable}` stands here, and not in a Secret"
    for variable, rule in declared.items():
        if rule.get("required") and variable not in given:
            yield f"`{variable}` is required"
    if not {"jwt_secret", "jwt_jwks", "jwt_jwks_url"} & set(given):
        yield "no variable has a key for tokens"
    stores = {store for component in MANIFEST["component"].values() for store in component.get("key_value_stores", [])}
    if {store["name"] for store in spec["runtimeConfig"]["keyValueStores"]} != stores:
        yield "the key-value stores are not those of the application"
    for reference in secret_references(objects):
        if reference["name"] not in SECRETS:
            yield f"the Secret `{reference['name']}` is not one of {sorted(SECRETS)}"
    if not spec["image"].endswith("-wasip2"):
        yield f"the image is not that of the build for WASI 0.2: {spec['image']}"

    pod = job["spec"]["template"]["spec"]
    containers = pod["initContainers"] + pod["containers"]
    if [container["args"][0] for container in containers] != ["check", "up", "grant"]:
        yield "the Job does not check, migrate and grant in this order"
    versions = {re.search(r":([^:@]+)$", container["image"])[1] for container in containers}
    if versions != {spec["image"].rsplit(":", 1)[1].removesuffix("-wasip2")}:
        yield f"the migrator's version {versions} is not that of the application"


objects = list(yaml.safe_load_all(pathlib.Path(sys.argv[1]).read_text()))
native = [item for item in objects if item["kind"] != "SpinApp"]
pathlib.Path(sys.argv[2]).write_text(yaml.safe_dump_all(native))
found = list(problems(objects))
for problem in found:
    print(f"{sys.argv[1]}: {problem}", file=sys.stderr)
sys.exit(1 if found else 0)
