"""Clients that sign with SigV4, and those that presign, work unchanged."""

import json
import os
import subprocess
import sys
from pathlib import Path

import requests
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests_aws4auth.aws4auth import AWS4Auth

from log_client import LogClient

from .calling import Api, record

ID, SECRET, TOKEN = "AKIAIOSFODNN7EXAMPLE", "not/a+real=secret", "a-session-token/+="
SERVICE, REGION = "execute-api", "us-east-1"
AWSCURL = Path(sys.executable).parent / "awscurl"


def test_requests_signed_by_botocore_work(api: Api, service: str) -> None:
    body = json.dumps(record(service)).encode()
    made = AWSRequest("POST", f"{api.url}/logs", data=body, headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials(ID, SECRET, TOKEN), SERVICE, REGION).add_auth(made)

    reply = api.call("POST", "/logs", body, dict(made.headers.items()))

    assert reply.status == 201
    assert len(api.walk(service_name=service)) == 1


def test_a_presigned_address_works(api: Api, service: str) -> None:
    api.post("/logs", record(service))
    made = AWSRequest("GET", f"{api.url}/logs/recent?service_name={service}&limit=1")
    SigV4QueryAuth(Credentials(ID, SECRET, TOKEN), SERVICE, REGION).add_auth(made)

    reply = api.call("GET", str(made.url).removeprefix(api.url))

    assert (reply.status, reply.json["count"]) == (200, 1)


def test_requests_aws4auth_works(api: Api, service: str) -> None:
    auth = AWS4Auth(ID, SECRET, REGION, SERVICE, session_token=TOKEN)  # type: ignore[no-untyped-call]

    sent = requests.post(f"{api.url}/logs/batch", json={"logs": [record(service)]}, auth=auth, timeout=30)
    found = requests.get(
        f"{api.url}/logs/recent", params={"service_name": service, "level": ["INFO", "WARN"]}, auth=auth, timeout=30
    )

    assert (sent.status_code, sent.json()["accepted"]) == (200, 1)
    assert (found.status_code, found.json()["count"]) == (200, 1)


def test_awscurl_works(api: Api, service: str) -> None:
    def awscurl(*arguments: str) -> bytes:
        keys = {"AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": SECRET}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        done = subprocess.run(  # noqa: S603  # a client our callers use
            [str(AWSCURL), "--service", SERVICE, "--region", REGION, *arguments],
            capture_output=True,
            timeout=60,
            check=True,
            env={**clean, **keys},
        )
        return done.stdout

    body = json.dumps(record(service))
    sent = awscurl("-X", "POST", "-H", "Content-Type: application/json", "-d", body, f"{api.url}/logs")
    found = awscurl(f"{api.url}/logs/recent?service_name={service}")

    assert json.loads(sent)["log_id"]
    assert json.loads(found)["count"] == 1


def test_the_log_client_signs_and_works(api: Api, service: str) -> None:
    client = LogClient(api.url, credentials=Credentials(ID, SECRET, TOKEN), region=REGION)

    client.send([record(service)])
    found = list(client.recent(service_name=service))
    client.close()

    assert len(found) == 1
