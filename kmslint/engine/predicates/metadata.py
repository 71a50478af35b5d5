"""Checks of what is written around a key: names, descriptions, tags, conditions."""

import re
from collections.abc import Iterable, Iterator, Mapping

from kmslint.engine.facts import is_tame
from kmslint.engine.finding import Finding
from kmslint.engine.predicates.places import UNDETERMINED, literal, statements
from kmslint.model.key import UNREAD, Key, Known, Unknown
from kmslint.model.settings import Settings
from kmslint.pattern import pattern
from kmslint.typed import Final, NamedTuple

Params = Mapping[str, object]

_MAX_TEXT: Final = 8192
"""Characters of one text that are searched. KMS allows 8192 in a description, the longest of these texts."""


class _Kind(NamedTuple):
    """One kind of text to look for: what it is, its pattern, and what any such text holds (in lower case), to look no further."""

    what: str
    pattern: "re.Pattern[str]"
    holds: str = ""


_BUILT_IN: Final = (
    # each pattern takes time linear in the text
    _Kind("a US social security number", pattern(r"(?<![\w-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])"), "-"),
    _Kind(
        "an e-mail address",
        pattern(r"(?<![\w.+-])[\w+-][\w.+-]{0,63}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}(?![\w@])", re.IGNORECASE),
        "@",
    ),
    _Kind("a medical record number", pattern(r"(?<!\w)MRN[ :#=-]{0,3}\d{5,12}(?!\w)", re.IGNORECASE), "mrn"),
    _Kind("an AWS access key id", pattern(r"(?<!\w)(?:AKIA|ASIA)[A-Z0-9]{16}(?!\w)"), "ia"),
    _Kind("a private key", pattern(r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY"), "-----begin"),
    _Kind("a date of birth", pattern(r"(?<!\w)DOB[ :=-]{0,3}\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?!\w)", re.IGNORECASE), "dob"),
)
_ARN: Final = pattern(r"arn:[!-~]{1,2048}")


def secrets_in_metadata(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """Every alias, description, tag, grant name, Sid and encryption context value that looks like personal data or a secret.

    The text itself is not repeated: a report travels further than the key. Configured patterns replace the built-in ones.
    Source: KMS Developer Guide, "Encryption context": it is not secret and appears in plaintext in CloudTrail.
    """
    del params
    patterns = _patterns(settings)
    if patterns is None:
        message = "a pattern of sensitive_patterns cannot be used, so metadata was not searched"
        reason = "sensitive_patterns holds a regular expression that is invalid or may take more than linear time"
        yield Finding(outcome=UNDETERMINED, message=message, reason=reason)
        return
    for place in statements(key):
        kind = _first(patterns, place.statement.sid or "")
        if kind is not None:
            yield place.finding(f"the Sid seems to hold {kind}", help=_HELP)
        for condition in place.statement.conditions:
            if not condition.key.lower().startswith("kms:encryptioncontext:"):
                continue
            for item in condition.values:
                kind = _first(patterns, literal(item.value) or "")
                if kind is not None:
                    message = f"a value of the encryption context seems to hold {kind}"
                    yield place.finding(message, node=item.node, help=_HELP)
    for fact, what, text in _texts(key):
        kind = _first(patterns, text)
        if kind is not None:
            yield Finding(outcome="FAIL", message=f"{what} seems to hold {kind}", fact=fact, help=_HELP)
    yield from _unread(key, _SEARCHED)


_HELP: Final = "use an opaque identifier and keep the meaning where access is controlled; what was written stays in CloudTrail"

_SEARCHED: Final = ("description", "aliases", "tags", "grants")


def _unread(key: Key, names: Iterable[str]) -> Iterator[Finding]:
    """What should have been read and was not, so that nobody knows what it holds."""
    for name in names:
        fact = key.fact(name)
        if isinstance(fact, Unknown) and fact.kind == UNREAD:
            yield Finding(outcome=UNDETERMINED, message=f"`{name}` was not read", fact=name, reason=fact.reason)


def _patterns(settings: Settings) -> tuple[_Kind, ...] | None:
    if settings.sensitive_patterns is None:
        return _BUILT_IN
    if not all(is_tame(text) for text in settings.sensitive_patterns):
        return None
    return tuple(_Kind(f"what `{text}` describes", re.compile(text)) for text in settings.sensitive_patterns)


def _first(kinds: tuple[_Kind, ...], text: str) -> str | None:
    """What the text seems to hold; ARNs and key ids are not searched for numbers, they consist of them."""
    bare = text[:_MAX_TEXT]
    if "arn:" in bare:
        bare = _ARN.sub(" ", bare)
    folded = bare.lower()
    return next((kind.what for kind in kinds if kind.holds in folded and kind.pattern.search(bare)), None)


def _texts(key: Key) -> Iterator[tuple[str, str, str]]:
    """(fact, what it is, text) of everything that was read about the key."""
    for name, value in ((name, key.fact(name)) for name in _SEARCHED):
        if not isinstance(value, Known):
            continue
        if isinstance(value.value, str):
            yield name, "the description", value.value
        elif name == "aliases" and isinstance(value.value, (list, tuple)):
            yield from ((name, "an alias", str(alias)) for alias in value.value)
        elif name == "tags" and isinstance(value.value, Mapping):
            yield from ((name, f"the tag `{tag}`", str(text)) for tag, text in value.value.items())
        elif name == "grants" and isinstance(value.value, (list, tuple)):
            names = (grant.get("Name") for grant in value.value if isinstance(grant, Mapping))
            yield from ((name, "the name of a grant", str(text)) for text in names if text)


def _lacking_tags(key: Key, settings: Settings) -> list[str]:
    """The required tags that the key is known not to have, or to have without a value."""
    tags = key.fact("tags")
    if not (isinstance(tags, Known) and isinstance(tags.value, Mapping)):
        return []
    present = {str(name) for name, value in tags.value.items() if str(value).strip()}
    return [name for name in settings.required_tags if name not in present]


def missing_ownership(key: Key, settings: Settings, params: Params) -> Iterator[Finding]:
    """A required tag is absent or empty, or the key has no description.

    Source: KMS API Reference, ListResourceTags, DescribeKey. Tag keys are case-sensitive.
    """
    del params
    lacking = _lacking_tags(key, settings)
    description = key.fact("description")
    undescribed = isinstance(description, Known) and not str(description.value).strip()
    if lacking:
        listed = ", ".join(f"`{name}`" for name in lacking) + (" and a description" if undescribed else "")
        pairs = " ".join(f"TagKey={name},TagValue=…" for name in lacking)
        command = f"aws kms tag-resource --key-id {key.key_id or 'KEY_ID'} --tags {pairs}"
        help = "tag the key in the code that creates it; required_tags of the configuration lists what is asked for"
        yield Finding(outcome="FAIL", message=f"the key lacks the tags {listed}", fact="tags", help=help, command=command)
    elif undescribed:
        help = "describe in one sentence what the key protects"
        yield Finding(outcome="FAIL", message="the key has no description", fact="description", help=help)
    yield from _unread(key, ("tags", "description"))
