"""Holds the workflows to the rule that makes them testable: each `run:` is one script of this repository,
with arguments that the shell does not interpret beyond quoted variables.

Also: every action is pinned by its full hash with a version beside it, a checkout leaves no credentials
behind, every job has a time limit, and no secret is anywhere but in the environment of one step.
"""

import os
import pathlib
import re
import sys

import yaml

RUN = re.compile(r'^(?P<script>(\.ci|deploy)/[\w/-]+)(?P<arguments>( (--?[\w-]+|[\w./-]+|"[\w/.-]*\$(\w+|\{\w+#v\})"))*)$')
PINNED = re.compile(r"uses: (?P<action>\S+)@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
SECRET = re.compile(r"\$\{\{[^}]*\b(secrets|github\.token)\b")


def problems(path: pathlib.Path):
    text = path.read_text()
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"^\s*(- )?uses: ", line) and not line.strip().removeprefix("- ").startswith("uses: ./"):
            if not PINNED.search(line):
                yield f"{number}: not pinned by a hash, with the version beside it: {line.strip()}"
        if SECRET.search(line) and not re.match(r"^ {10}[A-Z][A-Z0-9_]*: \$\{\{ (secrets\.\w+|github\.token) \}\}$", line):
            yield f"{number}: a secret outside of the environment of a step: {line.strip()}"
    document = yaml.safe_load(text)
    if document.get("permissions") != {}:
        yield "1: the workflow has permissions; give them to its jobs"
    for name, job in document["jobs"].items():
        if "timeout-minutes" not in job:
            yield f"1: job `{name}` has no time limit"
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                if step.get("with", {}).get("persist-credentials") is not False:
                    yield f"1: a checkout of job `{name}` leaves credentials behind"
            if (run := step.get("run")) is None:
                continue
            match = RUN.match(run)
            if match is None:
                yield f"1: not one script of this repository: {run!r}"
            elif not os.access(match["script"], os.X_OK):
                yield f"1: `{match['script']}` is not a program"


found = [f"{path}:{problem}" for path in map(pathlib.Path, sys.argv[1:]) for problem in problems(path)]
print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
sys.exit(1 if found else 0)
