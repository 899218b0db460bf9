"""Tries the service through a proxy, and holds the proxy to what `docs/deploy/host.md` promises:
`proxy.py URL nginx|caddy`. `TASKIE_TOKEN` is a token of the user `demo`; the certificate is not verified."""

import concurrent.futures
import gzip
import http.client
import json
import os
import ssl
import sys
import urllib.parse

URL, KIND = urllib.parse.urlsplit(sys.argv[1]), sys.argv[2]
TASKS = "/api/demo/tasks"
UNVERIFIED = ssl.create_default_context()
UNVERIFIED.check_hostname, UNVERIFIED.verify_mode = False, ssl.CERT_NONE


def call(method: str, path: str, body: bytes | None = None, **headers: str):
    """The status, the headers and the body, decompressed."""
    connection = http.client.HTTPSConnection(URL.hostname, URL.port, timeout=30, context=UNVERIFIED)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers |= {"Host": "tasks.example.com", "Authorization": f"Bearer {os.environ['TASKIE_TOKEN']}", "Accept-Encoding": "gzip"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    text = response.read()
    if response.headers.get("Content-Encoding") == "gzip":
        text = gzip.decompress(text)
    connection.close()
    return response.status, response.headers, text


def check(claim: str, holds: bool, *seen: object) -> None:
    if not holds:
        sys.exit(f"error: {KIND}: {claim}: {seen}")
    print(f"{KIND}: {claim}")


# Compressible, and longer than what is left as it is.
task = json.dumps({"title": "Through a proxy", "description": "text " * 900}).encode()
status, headers, text = call("POST", TASKS, task)
created = json.loads(text)
etag = headers["ETag"]
check("a task is created, and its tag stays as it is", status == 201 and etag.startswith('"'), status, etag)
check("a task is not compressed", "Content-Encoding" not in headers, headers.items())
check("headers of the API arrive", headers["X-Content-Type-Options"] == "nosniff" and "X-Request-Id" in headers, headers.items())
check("the browser is told to stay with TLS", "max-age=" in headers.get("Strict-Transport-Security", ""), headers.items())
one = f"{TASKS}/{created['id']}"
status, headers, _ = call("GET", one)
check("reading it gives the same tag", (status, headers["ETag"]) == (200, etag), status, headers.items())
status, headers, _ = call("PUT", one, b'{"status": "complete"}', If_Match=etag)
check("a conditional change with that tag succeeds", status == 200, status)
status, _, _ = call("PUT", one, b'{"status": "complete"}', If_Match=etag)
check("and not a second time", status == 412, status)
status, headers, text = call("GET", TASKS)
check("a list is compressed", (status, headers.get("Content-Encoding")) == (200, "gzip"), status, headers.items())
check("and complete", any(item["id"] == created["id"] for item in json.loads(text)), text[:100])
status, headers, text = call("GET", TASKS, X_Request_Id="through-the-proxy")
check("a client's request id is kept", headers["X-Request-Id"] == "through-the-proxy", headers.items())
status, _, text = call("POST", TASKS, json.dumps({"title": "x" * 150_000}).encode())
check("a body over the API's limit is the API's answer", status == 413 and b'"status":413' in text.replace(b" ", b""), status, text)
status, _, _ = call("POST", TASKS, b"x" * 400_000)
check("a body over the proxy's limit does not reach it", status == 413, status)
status, headers, text = call("GET", "/openapi.json")
check("the OpenAPI document is compressed", headers.get("Content-Encoding") == "gzip" and json.loads(text)["openapi"], headers.items())
status, _, _ = call("DELETE", one)
check("a task is deleted", status == 204, status)

if KIND == "nginx":
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: call("GET", "/health"), range(400)))
    refused = [answer for answer in answers if answer[0] == 429]
    check("many requests of one address at once are refused, some of them", 0 < len(refused) < 400, len(refused))
    check("with a problem document", json.loads(refused[0][2])["status"] == 429 and refused[0][1]["Retry-After"] == "1", refused[0])
    check("and the others served", {answer[0] for answer in answers} == {200, 429}, {answer[0] for answer in answers})
