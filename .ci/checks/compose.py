"""Checks what Compose makes of `compose.yaml`, from its JSON on standard input, and prints what is needed to
start the same without containers, as assignments for a shell."""

import json
import shlex
import sys

services = json.load(sys.stdin)["services"]
if set(services) != {"postgresql", "pgbouncer"}:
    sys.exit(f"error: compose.yaml has {sorted(services)}")
for name, service in services.items():
    for port in service["ports"]:
        if port.get("host_ip") != "127.0.0.1":
            sys.exit(f"error: {name} is open to the network: {port}")
    if "healthcheck" not in service:
        sys.exit(f"error: nobody knows when {name} is ready")
if services["pgbouncer"]["depends_on"]["postgresql"]["condition"] != "service_healthy":
    sys.exit("error: the pooler does not wait for the server")
server = services["postgresql"]
program, *options = server["command"]
if program != "postgres":
    sys.exit(f"error: the server's command is {program}")
print(f"PASSWORD={shlex.quote(server['environment']['POSTGRES_PASSWORD'])}")
print(f"OPTIONS={shlex.quote(shlex.join(options))}")
