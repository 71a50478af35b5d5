# ruff: noqa: TID251  the only module that talks to AWS
"""One call to KMS through boto3: the answer with all its pages, or why there is none.

No text of an AWS error is ever kept: it may hold the caller's identity, parts of the signed request, or a URL with a
password. Its code is enough.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from threading import Lock

from kmslint.errors import InputError, KmslintError, UsageError
from kmslint.sources.kms_answers import Answer, Failure, Record, items_of, text_of
from kmslint.typed import Any, Final, NamedTuple, Protocol

WORKERS: Final = 8
"""Threads that share a client. botocore spends 0.7 ms of CPU a call under the interpreter lock: more threads are slower."""

CREDENTIAL_HELP: Final = "aws sts get-caller-identity shows which credentials are found; renew them, or pass --profile"


class KmsClient(Protocol):
    """A boto3 KMS client: one method an operation, keyword arguments in, a dict out; `meta.region_name` is its Region."""

    def __getattr__(self, operation: str) -> Any:  # noqa: ANN401  boto3 makes its methods at run time
        """The method for `operation` in snake case."""


Clients = Callable[[str | None], KmsClient]
"""The client of a Region; None asks for the configured one."""


class _Paged(NamedTuple):
    """An operation with pages: the list it returns, and the largest page that KMS allows."""

    items: str
    limit: int


_PAGED: Final[Mapping[str, _Paged]] = {
    "ListKeys": _Paged("Keys", 1000),
    "ListKeyPolicies": _Paged("PolicyNames", 1000),
    "ListAliases": _Paged("Aliases", 100),
    "ListResourceTags": _Paged("Tags", 50),
    "ListGrants": _Paged("Grants", 100),
    "ListKeyRotations": _Paged("Rotations", 1000),
}
"""Source: KMS API Reference, `Limit` of each operation."""

_MAX_PAGES: Final = 2000
"""Past this many pages an answer is given up. KMS allows 50 000 grants a key (500 pages) and 100 000 keys (100 pages)."""

_MAX_POLICIES: Final = 16
"""KMS knows two policy names, `default` and `AWS_RAM`; an answer with many more would only cost calls."""

_ATTEMPTS: Final = 10
_CONNECT_ATTEMPTS: Final = 3
_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 20

# --- connecting


def connect(
    profile: str | None = None, region: str | None = None, endpoint_url: str | None = None, *, read_seconds: float = _READ_SECONDS
) -> "Connection":
    """KMS clients of one AWS session. Nothing is called, and credentials are looked up, only when the first key is read.

    Raises UsageError when the profile does not exist, the configuration file cannot be read or the endpoint is no URL.
    """
    if endpoint_url is not None and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", endpoint_url):
        raise UsageError("`--endpoint-url` is not an http or https URL", help="write it as https://HOST[:PORT]")
    connection = Connection(profile, region, endpoint_url, read_seconds)
    connection.open()
    return connection


class Connection:
    """A client for each Region, made when first asked for; all share one session. Holds no secret of its own."""

    def __init__(self, profile: str | None, region: str | None, endpoint_url: str | None, read_seconds: float) -> None:
        self._how = (profile, region, endpoint_url, read_seconds)
        self._lock = Lock()
        self._session: Any = None
        self._clients: dict[str | None, KmsClient] = {}

    def __repr__(self) -> str:
        return "Connection()"

    def __reduce__(self) -> tuple[type["Connection"], tuple[str | None, str | None, str | None, float]]:
        """How to connect again in another process: the way, never the session."""
        return Connection, self._how

    def open(self) -> None:
        """Make the session. Raises UsageError when the profile or the configuration is unusable."""
        import boto3  # half a second
        from botocore.exceptions import BotoCoreError

        profile, region, _, _ = self._how
        region = region or os.environ.get("AWS_REGION") or None
        try:
            self._session = boto3.Session(profile_name=profile, region_name=region)
        except BotoCoreError as error:
            raise _unusable(error, profile) from None

    def __call__(self, region: str | None) -> KmsClient:
        """The client for `region`, or for the configured Region. Raises UsageError when there is none."""
        with self._lock:
            if self._session is None:
                self.open()
            if region not in self._clients:
                self._clients[region] = self._client(region)
            return self._clients[region]

    def close(self) -> None:
        """Close every connection; the next call opens them again."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _client(self, region: str | None) -> KmsClient:
        from botocore.exceptions import BotoCoreError

        _, _, endpoint_url, read_seconds = self._how
        try:
            client: Any = self._session.client(
                "kms", region_name=region, endpoint_url=endpoint_url, config=_configuration(read_seconds)
            )
        except BotoCoreError as error:
            raise _unusable(error, None) from None
        except ValueError:
            raise UsageError("the KMS endpoint is not a valid URL", help="check --endpoint-url and AWS_ENDPOINT_URL") from None
        client.meta.events.register_first("needs-retry.kms", _give_up_connecting)
        return client  # type: ignore[no-any-return]


def caller_of(profile: str | None, region: str | None) -> str | None:
    """The ARN that the credentials act as; None when STS does not tell, which is no failure of anything.

    Source: STS API Reference, GetCallerIdentity: no permission is needed.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    limits = Config(connect_timeout=_CONNECT_SECONDS, read_timeout=_CONNECT_SECONDS, retries={"total_max_attempts": 1})
    try:
        session = boto3.Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION") or None)
        arn: object = session.client("sts", config=limits).get_caller_identity().get("Arn")
    except (BotoCoreError, ClientError, ResponseParserError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    return arn if isinstance(arn, str) and re.fullmatch(r"arn:[!-~]{1,2000}", arn) else None


def _configuration(read_seconds: float) -> object:
    from botocore.config import Config

    own_attempts = "AWS_MAX_ATTEMPTS" in os.environ
    return Config(
        retries={"mode": "standard"} if own_attempts else {"mode": "standard", "total_max_attempts": _ATTEMPTS},
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=read_seconds,
        max_pool_connections=WORKERS * 2,
    )


def _give_up_connecting(attempts: int, caught_exception: Exception | None = None, **_: object) -> None:
    """Stop retrying where nobody answers: ten attempts with back-off would be a minute of silence for a mistyped host."""
    if caught_exception is not None and attempts >= _CONNECT_ATTEMPTS and _is_unreachable(caught_exception):
        raise caught_exception


def _unusable(error: Exception, profile: str | None) -> KmslintError:
    from botocore.exceptions import InvalidRegionError, NoRegionError, ProfileNotFound

    if isinstance(error, ProfileNotFound):
        name = profile or os.environ.get("AWS_PROFILE", "")
        return UsageError(f"the AWS profile `{name}` does not exist", help="aws configure list-profiles names the profiles")
    if isinstance(error, NoRegionError):
        return UsageError("no AWS Region is configured", help="pass --region, or set AWS_REGION, or name keys by their ARN")
    if isinstance(error, InvalidRegionError):
        return UsageError("the AWS Region is not a valid name", help="write it as AWS does, e.g. us-east-1")
    if _is_about_credentials(error):
        return InputError("no usable AWS credentials", help=CREDENTIAL_HELP)
    return UsageError("the AWS configuration cannot be used", help="aws configure list shows where each value comes from")


# --- one call


def answer_of(client: KmsClient, operation: str, **request: object) -> Answer:
    """The answer, all pages joined, or why there is none: part of a list is no list."""
    if operation not in _PAGED:
        return _call(client, operation, request)
    name = _PAGED[operation].items
    items: list[object] = []
    for page in pages_of(client, operation, request):
        if isinstance(page, Failure):
            return page
        items.extend(items_of(page, name))
    return {name: items}


def _checked(page: Answer, operation: str) -> Answer:
    """The page, if it holds the list that KMS always sends, with nothing strange in it: an odd item is not an absent one."""
    if isinstance(page, Failure):
        return page
    name = _PAGED[operation].items
    items = page.get(name)
    if not isinstance(items, list):
        return Failure("Unreadable", f"kms:{operation} answered without {name}")
    kind = str if operation == "ListKeyPolicies" else Mapping
    if not all(isinstance(item, kind) for item in items):
        return Failure("Unreadable", f"kms:{operation} answered with {name} of an unexpected type")
    if operation == "ListKeyPolicies" and len(items) > _MAX_POLICIES:
        return Failure("Unreadable", f"kms:{operation} answered with {len(items)} policies")
    return page


def pages_of(client: KmsClient, operation: str, request: Mapping[str, object]) -> Iterator[Answer]:
    """The pages of a list; a Failure ends it."""
    asked = {**request, "Limit": _PAGED[operation].limit}
    for _ in range(_MAX_PAGES):
        page = _checked(_call(client, operation, asked), operation)
        yield page
        if isinstance(page, Failure) or not page.get("Truncated"):
            return
        marker = text_of(page, "NextMarker")
        if not marker or marker == asked.get("Marker"):
            yield Failure("Pages", f"kms:{operation} says that there is more, and not where")
            return
        asked["Marker"] = marker
    yield Failure("Pages", f"more than {_MAX_PAGES} pages on kms:{operation}")


def _call(client: KmsClient, operation: str, request: Mapping[str, object]) -> Answer:
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    method = re.sub(r"(?<!^)([A-Z])", r"_\1", operation).lower()
    try:
        answer: Record = getattr(client, method)(**request)
    except ClientError as error:
        return _refused(operation, error.response)
    except BotoCoreError as error:
        return _broken(operation, error)
    except (ResponseParserError, ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        # What botocore raises while it parses an answer whose shape is not KMS's.
        return Failure("Unreadable", f"unreadable answer to kms:{operation}")
    return answer


_CREDENTIAL_CODES: Final = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
"""Source: KMS API Reference, "Common Errors", and what botocore knows of AWS JSON services."""

_THROTTLED: Final = frozenset({"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"})


def _refused(operation: str, response: Mapping[str, Any]) -> Failure:
    """The failure that an error answer means. Its message is dropped: it may quote the caller or the signed request."""
    error = response.get("Error")
    told = str(error.get("Code", "")) if isinstance(error, Mapping) else ""
    code = told if re.fullmatch(r"[A-Za-z0-9._]{1,64}", told) else "an unknown error"
    if code in _CREDENTIAL_CODES:
        return Failure("Credentials", f"credentials refused ({code}) on kms:{operation}")
    if code in _THROTTLED:
        return Failure("Throttled", f"still throttled after every retry on kms:{operation}")
    short = code.removesuffix("Exception")
    return Failure(short, f"{short} on kms:{operation}")


def _broken(operation: str, error: Exception) -> Failure:
    """The failure that an error on the way means. Never its text: it may hold a URL with a password."""
    from botocore.exceptions import ConnectionClosedError, ParamValidationError, ReadTimeoutError

    if isinstance(error, ReadTimeoutError):
        return Failure("Timeout", f"no answer in time on kms:{operation}")
    if _is_unreachable(error):
        return Failure("Unreachable", f"endpoint not reached on kms:{operation}")
    if isinstance(error, ConnectionClosedError):
        return Failure("Closed", f"connection closed on kms:{operation}")
    if isinstance(error, ParamValidationError):
        return Failure("Validation", f"not a valid request for kms:{operation}")
    if _is_about_credentials(error):
        return Failure("Credentials", f"no usable credentials for kms:{operation}")
    return Failure("Failed", f"the AWS client failed on kms:{operation}")


def _is_unreachable(error: Exception) -> bool:
    from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError, SSLError

    return isinstance(error, (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError, SSLError))


def _is_about_credentials(error: Exception) -> bool:
    from botocore import exceptions

    return isinstance(
        error,
        (
            exceptions.NoCredentialsError,
            exceptions.PartialCredentialsError,
            exceptions.CredentialRetrievalError,
            exceptions.NoAuthTokenError,
            exceptions.TokenRetrievalError,
            exceptions.SSOError,
            exceptions.MetadataRetrievalError,
            exceptions.InvalidConfigError,
            exceptions.InfiniteLoopConfigError,
            exceptions.UnknownCredentialError,
            exceptions.ConfigNotFound,
        ),
    )
