"""Where CloudFormation is met among files: templates, by their content, and the assemblies that CDK writes."""

import os
from collections.abc import Mapping

from kmslint.location import Text
from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.pattern import pattern
from kmslint.sources.policy_json import NotAKey, keys_from_json
from kmslint.typed import Final, Union

SUFFIXES: Final = (".yaml", ".yml", ".template")
"""How the names of files end that are read in folders for their templates; JSON is read anyway."""

_MARK: Final = "AWS::KMS::"
_TYPE: Final = pattern(r"(?<![A-Za-z:])Type\\*[\"']?\s*:\s*(?:[>|][-+]?\s*)?\\*[\"']?AWS::KMS::(?:Replica)?Key\b")


def is_template(content: str) -> bool:
    """Whether a text holds a key of KMS in a template, judged without reading it."""
    return _MARK in content and _TYPE.search(content) is not None


def keys_in_template(
    text: Text,
    *,
    named: bool = True,
    type: str = "auto",
    arn: str | None = None,
    account: str | None = None,
    account_source: str = "given",
    region: str | None = None,
    parameters: Mapping[str, str] | None = None,
    declared: set[str] | None = None,
) -> Union[list[Union[Key, SourceError]], NotAKey]:
    """The keys of the templates in a text; those of an assembly of CDK at the lines of the code that made them.

    A named text that is JSON and no template may be a key policy all the same, whatever its name. `parameters` and `declared`
    are as in `keys_from_template`.

    Raises:
        InputError: as `keys_from_template` and `keys_from_json`.
    """
    if type == "policy" or (named and text.content.lstrip().startswith("{") and not is_template(text.content)):
        policy = keys_from_json(
            text, named=named, type=type, arn=arn, account=account, account_source=account_source, region=region
        )
        return policy if isinstance(policy, NotAKey) else list(policy)
    if not is_template(text.content):
        return NotAKey("no template with a KMS key in it")
    from kmslint.sources.cloudformation import keys_from_template

    found = keys_from_template(
        text, account=account, account_source=account_source, region=region, parameters=parameters, declared=declared
    )
    if not isinstance(found, NotAKey) and "kmslint:" in text.content:
        from kmslint.sources.inline import with_comments

        return list(with_comments(found, lambda _: text))
    if isinstance(found, NotAKey) or not (text.file or "").endswith(".template.json"):
        return found
    if not os.path.exists(os.path.join(os.path.dirname(text.file or ""), "manifest.json")):
        return found
    from kmslint.sources.cdk import at_source

    return at_source(found, text.file or "")
