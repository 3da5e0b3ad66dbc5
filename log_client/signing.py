"""AWS Signature Version 4 for API Gateway (service `execute-api`), made by botocore, which is loaded at first use."""

import os
import re
from collections.abc import Mapping
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from .errors import MissingCredentials

SERVICE = "execute-api"
GATEWAY_HOST = re.compile(r"\.execute-api(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com|api\.aws)")
THIS_MACHINE = {"127.0.0.1", "localhost", "::1"}
NO_CREDENTIALS = (
    "no AWS credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile in AWS_PROFILE, or give "
    "this machine a role; a local stack takes unsigned requests (sign=False, --no-sign)"
)
NO_REGION = "no region found for signing: give region, or set AWS_REGION"


class Signs(Protocol):
    """Adds what proves the caller."""

    def signed(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """The headers to send, of a request with these headers."""


class Unsigned:
    """For a stack that asks nobody who they are."""

    def signed(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """The headers as they are."""
        del method, url, body
        return dict(headers)


class SignedIfPossible:
    """For this machine: signs when there is something to sign with; a local stack asks nobody who they are."""

    def __init__(self, signer: "Signer") -> None:
        self._signer = signer

    def signed(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """The headers, signed if credentials and a region are found."""
        try:
            return self._signer.signed(method, url, headers, body)
        except MissingCredentials:
            return dict(headers)


def signs(url: str, credentials: object, region: str | None, *, sign: bool | None) -> Signs:
    """What signs for this address. None: always, but on this machine only if possible."""
    if sign is False:
        return Unsigned()
    signer = Signer(credentials, region)
    return SignedIfPossible(signer) if sign is None and urlsplit(url).hostname in THIS_MACHINE else signer


class Signer:
    """Signs with the credentials of a boto3 or botocore session, with given ones, or with those botocore finds."""

    def __init__(self, credentials: object = None, region: str | None = None) -> None:
        self._given = credentials
        self._region = region

    def signed(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """Sign as of now; MissingCredentials when there is nothing to sign with."""
        from botocore.auth import SigV4Auth  # noqa: PLC0415 - importing log_client must stay cheap
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415 - as above

        credentials = self._credentials()
        request = AWSRequest(method=method, url=url, data=body, headers=dict(headers))
        SigV4Auth(credentials, SERVICE, self._region_of(url)).add_auth(request)
        return dict(request.headers.items())

    def _source(self) -> Any:  # noqa: ANN401 - a session or credentials, of boto3 or botocore
        if self._given is None:
            from botocore.session import Session  # noqa: PLC0415 - importing log_client must stay cheap

            self._given = Session()
        return self._given

    def _credentials(self) -> Any:  # noqa: ANN401 - botocore's credentials are duck-typed
        source = self._source()
        found = source.get_credentials() if hasattr(source, "get_credentials") else source
        if found is None:
            raise MissingCredentials(NO_CREDENTIALS)
        return found.get_frozen_credentials() if hasattr(found, "get_frozen_credentials") else found

    def _region_of(self, url: str) -> str:
        if self._region is None:
            self._region = self._found_region(url)
        if not self._region:
            raise MissingCredentials(NO_REGION)
        return self._region

    def _found_region(self, url: str) -> str | None:
        if hosted := GATEWAY_HOST.search(url):
            return hosted[1]
        source = self._source()
        if hasattr(source, "get_config_variable"):
            source_region = source.get_config_variable("region")
        else:
            source_region = getattr(source, "region_name", None)
        return cast("str | None", source_region) or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
