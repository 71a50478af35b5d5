"""A fake AWS KMS: the JSON 1.1 protocol over HTTP, read operations only, with every refusal that a scanner must survive.

    with FakeKms() as kms:
        key = kms.add(FakeKey(policies={"default": "{…}"}))
        kms.deny("GetKeyPolicy")
        client = boto3.client("kms", endpoint_url=kms.url, …)

A key lives in the Region of its ARN; a call signed for another Region does not find it, as in AWS.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self

ACCOUNT = "111122223333"
REGION = "us-east-1"
DEFAULT_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
        ],
    }
)
CREATED = 1735689600.25
"""2025-01-01T00:00:00.25Z, as KMS sends dates: seconds since 1970."""

Body = dict[str, Any]


class RefusalError(Exception):
    """An error answer: its code as AWS names it, and the HTTP status."""

    def __init__(self, code: str, message: str = "refused", status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass
class FakeKey:
    """One key: what each operation says of it. `metadata` overrides the fields of an ordinary symmetric key; None removes one."""

    key_id: str = "00000000-0000-4000-8000-000000000001"
    region: str = REGION
    metadata: Body = field(default_factory=dict)
    policies: Mapping[str, str] = field(default_factory=lambda: {"default": DEFAULT_POLICY})
    rotation: Body | None = field(
        default_factory=lambda: {"KeyRotationEnabled": True, "RotationPeriodInDays": 365, "NextRotationDate": CREATED + 63072000}
    )
    """None: the key's store does not rotate, and KMS says UnsupportedOperationException."""
    aliases: list[str] = field(default_factory=lambda: ["alias/payments"])
    tags: dict[str, str] = field(default_factory=dict)
    grants: list[Body] = field(default_factory=list)
    rotations: list[Body] = field(default_factory=list)
    last_usage: Body = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The key's ARN."""
        return f"arn:aws:kms:{self.region}:{ACCOUNT}:key/{self.key_id}"

    def alias_arn(self, alias: str) -> str:
        """The ARN of one of its aliases."""
        return f"arn:aws:kms:{self.region}:{ACCOUNT}:{alias}"

    def described(self) -> Body:
        """KeyMetadata."""
        ordinary = {
            "AWSAccountId": ACCOUNT,
            "KeyId": self.key_id,
            "Arn": self.arn,
            "CreationDate": CREATED,
            "Enabled": True,
            "Description": "",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Enabled",
            "Origin": "AWS_KMS",
            "KeyManager": "CUSTOMER",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "MultiRegion": False,
        }
        return {name: value for name, value in {**ordinary, **self.metadata}.items() if value is not None}


class FakeKms:
    """The server, on a free port of loopback while its `with` block lasts. Thread-safe; every call is in `calls`."""

    def __init__(self, *, page_size: int = 1000) -> None:
        self.page_size = page_size
        self.keys: list[FakeKey] = []
        self.calls: list[tuple[str, Body]] = []
        self._refusals: dict[tuple[str, str | None], RefusalError] = {}
        self._throttles: dict[str, int] = {}
        self._delays: dict[str, float] = {}
        self._raw: dict[str, bytes] = {}
        self._lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    # --- what to answer

    def reset(self) -> None:
        """Forget every key, call and fault."""
        self.page_size = 1000
        for state in (self.keys, self.calls, self._refusals, self._throttles, self._delays, self._raw):
            state.clear()

    def add(self, key: FakeKey) -> FakeKey:
        """Let `key` exist."""
        self.keys.append(key)
        return key

    def refuse(
        self, operation: str, code: str, message: str = "refused", *, key: FakeKey | None = None, status: int = 400
    ) -> None:
        """Answer `operation` (about `key` only, if given) with the error `code` from now on."""
        self._refusals[operation, key.key_id if key else None] = RefusalError(code, message, status)

    def deny(self, operation: str, *, key: FakeKey | None = None) -> None:
        """Answer `operation` with AccessDenied, quoting the request's own signature, as nosily as an answer could."""
        self.refuse(operation, "AccessDeniedException", "denied to {authorization} {token}", key=key)

    def throttle(self, operation: str, times: int) -> None:
        """Answer the next `times` calls of `operation` with ThrottlingException."""
        self._throttles[operation] = times

    def delay(self, operation: str, seconds: float) -> None:
        """Answer `operation` late."""
        self._delays[operation] = seconds

    def answer_raw(self, operation: str, body: bytes) -> None:
        """Answer `operation` with these bytes and status 200."""
        self._raw[operation] = body

    def count(self, operation: str) -> int:
        """How often `operation` was called."""
        return sum(name == operation for name, _ in self.calls)

    # --- answering

    def answer(self, operation: str, request: Body, region: str, quotes: Mapping[str, str]) -> bytes:
        """The answer to one call. Raises RefusalError."""
        with self._lock:
            self.calls.append((operation, request))
            throttled = self._throttles.get(operation, 0)
            self._throttles[operation] = max(0, throttled - 1)
        time.sleep(self._delays.get(operation, 0))
        if throttled:
            raise RefusalError("ThrottlingException", "Rate exceeded")
        about = self._find(request["KeyId"], region) if request.get("KeyId") else None
        refusal = self._refusals.get((operation, None)) or self._refusals.get((operation, about.key_id if about else ""))
        if refusal:
            raise RefusalError(refusal.code, refusal.message.format(**quotes), refusal.status)
        if operation in self._raw:
            return self._raw[operation]
        if request.get("KeyId") and about is None:
            raise RefusalError("NotFoundException", f"Key '{request['KeyId']}' does not exist")
        return json.dumps(self._operations()[operation](about, request, region)).encode()

    def _operations(self) -> dict[str, Callable[..., Body]]:
        return {
            "DescribeKey": lambda key, _request, _region: {"KeyMetadata": key.described()},
            "GetKeyPolicy": self._policy,
            "GetKeyRotationStatus": self._rotation,
            "GetKeyLastUsage": lambda key, _request, _region: key.last_usage,
            "ListKeys": lambda _key, request, region: self._page(
                request, "Keys", [{"KeyId": key.key_id, "KeyArn": key.arn} for key in self.keys if key.region == region]
            ),
            "ListKeyPolicies": lambda key, request, _region: self._page(request, "PolicyNames", list(key.policies)),
            "ListAliases": self._aliases,
            "ListResourceTags": lambda key, request, _region: self._page(
                request, "Tags", [{"TagKey": tag, "TagValue": value} for tag, value in key.tags.items()]
            ),
            "ListGrants": lambda key, request, _region: self._page(request, "Grants", key.grants),
            "ListKeyRotations": lambda key, request, _region: self._page(request, "Rotations", key.rotations),
        }

    def _find(self, key_id: str, region: str) -> FakeKey | None:
        for key in self.keys:
            names = {key.key_id, key.arn, *key.aliases, *map(key.alias_arn, key.aliases)}
            if key.region == region and key_id in names:
                return key
        return None

    @staticmethod
    def _policy(key: FakeKey, request: Body, _region: str) -> Body:
        _no_alias(request)
        name = request.get("PolicyName", "default")
        if name not in key.policies:
            raise RefusalError("NotFoundException", "No such policy exists")
        return {"Policy": key.policies[name], "PolicyName": name}

    @staticmethod
    def _rotation(key: FakeKey, request: Body, _region: str) -> Body:
        _no_alias(request)
        if key.rotation is None:
            raise RefusalError("UnsupportedOperationException")
        return {"KeyId": key.arn, **key.rotation}

    def _aliases(self, about: FakeKey | None, request: Body, region: str) -> Body:
        keys = [about] if about else [key for key in self.keys if key.region == region]
        aliases = [
            {"AliasName": alias, "AliasArn": key.alias_arn(alias), "TargetKeyId": key.key_id}
            for key in keys
            for alias in key.aliases
        ]
        return self._page(request, "Aliases", aliases)

    def _page(self, request: Body, name: str, items: list[Any]) -> Body:
        start = int(request.get("Marker", "m0")[1:])
        end = start + min(self.page_size, request.get("Limit", self.page_size))
        more = {"NextMarker": f"m{end}"} if end < len(items) else {}
        return {name: items[start:end], "Truncated": bool(more), **more}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        kms = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet: two would wait 40 ms for each other

            def do_POST(self) -> None:
                operation = self.headers["X-Amz-Target"].removeprefix("TrentService.")
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                authorization = self.headers.get("Authorization", "")
                signed = re.search(r"Credential=[^/]+/\d+/([^/]+)/kms/aws4_request", authorization)
                quotes = {"authorization": authorization, "token": self.headers.get("X-Amz-Security-Token", "")}
                try:
                    status, body = 200, kms.answer(operation, request, signed[1] if signed else "", quotes)
                except RefusalError as refusal:
                    status = refusal.status
                    body = json.dumps({"__type": refusal.code, "message": refusal.message}).encode()
                self._send(status, body)

            def _send(self, status: int, body: bytes) -> None:
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/x-amz-json-1.1")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                    self.wfile.flush()
                except OSError:
                    self.close_connection = True  # the caller did not wait

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


def _no_alias(request: Body) -> None:
    """These operations take a key id or ARN only. Source: KMS API Reference, GetKeyPolicy, KeyId."""
    if "alias/" in request["KeyId"]:
        raise RefusalError("InvalidArnException", "an alias is not a key")
