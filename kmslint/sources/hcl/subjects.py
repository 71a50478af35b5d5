"""What is known of the attributes of data sources and resources without asking AWS.

Source: hashicorp/aws provider documentation: aws_caller_identity, aws_partition, aws_region, aws_iam_session_context,
aws_iam_policy_document, aws_service_principal, aws_iam_role, aws_iam_user; hashicorp/template, template_file.
"""

from collections.abc import Callable

from kmslint.errors import InputError
from kmslint.location import Text
from kmslint.sources.hcl import values
from kmslint.sources.hcl.expressions import Scope
from kmslint.sources.hcl.iam_document import read_document
from kmslint.sources.hcl.reader import read_template
from kmslint.sources.hcl.syntax import Place
from kmslint.sources.hcl.texts import Encoded
from kmslint.tree import ARRAY, NULL, OBJECT, STRING, UNRESOLVED, Node, Symbol, Template
from kmslint.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kmslint.sources.hcl.modules import Module
    from kmslint.sources.hcl.world import Instance

_OWN: Final = {
    ("aws_caller_identity", "account_id"): "account",
    ("aws_caller_identity", "id"): "account",
    ("aws_partition", "partition"): "partition",
    ("aws_partition", "id"): "partition",
    ("aws_region", "name"): "region",
    ("aws_region", "id"): "region",
    ("aws_region", "region"): "region",
}
_SUFFIX: Final = "amazonaws.com"
"""Of the partition `aws`, which a key has unless something says otherwise, and of aws-us-gov."""


def attribute_of(module: "Module", instance: "Instance", name: str, place: Place) -> Node | None:
    """The attribute `name` of one block, or None if only AWS knows it."""
    type = instance.block.labels[0]
    own = _OWN.get((type, name)) if instance.block.kind == "data" else None
    if own is not None:
        return _own(module, instance, f"{instance.address}.{name}", own, place)
    reader = _READERS.get((instance.block.kind, type, name))
    return reader(module, instance, place) if reader else None


def _own(module: "Module", instance: "Instance", name: str, own: str, place: Place) -> Node:
    if own == "region" and instance.block.argument("region") is not None:
        return values.unresolved(name, place)
    module.world.providers[name] = module.provider(instance.block)
    return values.unresolved(name, place, own)


def _argument(module: "Module", instance: "Instance", name: str) -> Node | None:
    """The value of an argument of another block. Raises Limit where it refers to itself."""
    argument = instance.block.argument(name)
    if argument is None:
        return None
    return module.once(instance.address, name, argument.place, lambda: module.value(argument, instance.scope))


def _document(module: "Module", instance: "Instance", place: Place) -> Node:
    """The JSON text of a policy document; the value that it encodes keeps its places."""

    def compute() -> Node:
        encoded = read_document(module, instance)
        if encoded.node.kind == UNRESOLVED:
            return encoded.node
        hidden = encoded.node
        if encoded.doubts:
            hidden = _hidden(encoded)
        value = values.join_parts(values.render_json(hidden))
        module.world.evaluator.texts.encode(value, encoded)
        where = instance.block.place
        return Node(STRING, value, where.text, where.start, where.end)

    return module.once("document", instance.address, place, compute)


def _hidden(encoded: Encoded) -> Node:
    """The document with every doubtful statement a hole: as a text it does not say what it holds."""
    doubts = dict(encoded.doubts)
    members = []
    for member in encoded.node.members():
        value = member.value
        if member.key == "Statement":
            items = [
                values.unresolved(doubts[number], values.place_of(item)) if number in doubts else item
                for number, item in enumerate(value.items())
            ]
            value = value._replace(value=tuple(items))
        members.append(member._replace(value=value))
    return encoded.node._replace(value=tuple(members))


def _rendered(module: "Module", instance: "Instance", _: Place) -> Node | None:
    """`data.template_file.x.rendered`."""
    template = _argument(module, instance, "template")
    given = _argument(module, instance, "vars")
    if template is None or template.kind != STRING or not isinstance(template.value, str):
        return None
    bound = {} if given is None or given.kind == NULL else {m.key: m.value for m in given.members()}
    if given is not None and given.kind not in {OBJECT, NULL}:
        return None
    is_file = template.text.content == template.value and template.start == 0
    outer = template.text
    text = outer if is_file else Text(template.value, outer=outer, to_outer=lambda _: template.start)
    try:
        return module.world.evaluator.evaluate(read_template(text), Scope(module, bound))
    except InputError as error:
        module.world.report(error)
        return None


def _principal_arn(kind: str) -> "Callable[[Module, Instance, Place], Node | None]":
    """The ARN of a role or user: of the key's own account, whatever it is.

    Source: IAM User Guide, "IAM identifiers": arn:partition:iam::account:role/path/name.
    """

    def read(module: "Module", instance: "Instance", place: Place) -> Node | None:
        name, path = _argument(module, instance, "name"), _argument(module, instance, "path")
        known_path = "/" if path is None or path.kind == NULL else path.value if path.kind == STRING else None
        if instance.block.kind == "data":
            known_path = None
        if name is None or name.kind == NULL or known_path is None:
            return _arn(module, instance, (f":{kind}/", Symbol(f"{instance.address}.name")), place)
        path_parts = values.parts_of(known_path)  # type: ignore[arg-type]  # a string's value is a text
        return _arn(module, instance, (f":{kind}", *path_parts, *values.parts_of(values.text_of(name))), place)

    return read


def _arn(module: "Module", instance: "Instance", tail: "tuple[str | Symbol, ...]", place: Place) -> Node:
    """`arn:partition:iam::account` and what follows."""
    provider = module.provider(instance.block)
    partition, account = f"{instance.address} partition", f"{instance.address} account"
    module.world.providers[partition] = module.world.providers[account] = provider
    parts = ("arn:", Symbol(partition, "partition"), ":iam::", Symbol(account, "account"), *tail)
    return values.string(values.join_parts(parts), place)


def _issuer_arn(module: "Module", instance: "Instance", place: Place) -> Node | None:
    """The role behind a session, or the user: someone of the own account."""
    return _arn(module, instance, (":", Symbol(f"{instance.address}.issuer_arn")), place)


def _caller_arn(module: "Module", instance: "Instance", place: Place) -> Node | None:
    """Whoever runs Terraform: a user, or a session of a role, of the own account."""
    found = _arn(module, instance, (":", Symbol(f"{instance.address}.arn")), place)
    service = Symbol(f"{instance.address}.arn service")
    parts = found.value.parts if isinstance(found.value, Template) else ()
    return values.string(Template((*parts[:2], ":", service, "::", *parts[3:])), place)


def _suffix(_: "Module", __: "Instance", place: Place) -> Node | None:
    return values.string(_SUFFIX, place)


def _service_name(module: "Module", instance: "Instance", place: Place) -> Node | None:
    service = _argument(module, instance, "service_name")
    if service is None or not isinstance(service.value, str):
        return None
    return values.string(f"{service.value}.{_SUFFIX}", place)


def _configured(name: str) -> "Callable[[Module, Instance, Place], Node | None]":
    """An argument whose value the provider hands on unchanged."""

    def read(module: "Module", instance: "Instance", _: Place) -> Node | None:
        found = _argument(module, instance, name)
        return None if found is None or found.kind in {NULL, UNRESOLVED, ARRAY} else found

    return read


_READERS: "Final[dict[tuple[str, str, str], Callable[[Module, Instance, Place], Node | None]]]" = {
    ("data", "aws_iam_policy_document", "json"): _document,
    ("data", "aws_iam_policy_document", "minified_json"): _document,
    ("data", "template_file", "rendered"): _rendered,
    ("data", "aws_iam_session_context", "issuer_arn"): _issuer_arn,
    ("data", "aws_caller_identity", "arn"): _caller_arn,
    ("data", "aws_partition", "dns_suffix"): _suffix,
    ("data", "aws_service_principal", "name"): _service_name,
    ("data", "aws_iam_role", "arn"): _principal_arn("role"),
    ("data", "aws_iam_user", "arn"): _principal_arn("user"),
    ("resource", "aws_iam_role", "arn"): _principal_arn("role"),
    ("resource", "aws_iam_user", "arn"): _principal_arn("user"),
    ("resource", "aws_iam_role", "name"): _configured("name"),
    ("resource", "aws_iam_user", "name"): _configured("name"),
    ("resource", "aws_kms_key", "policy"): _configured("policy"),
    ("resource", "aws_kms_external_key", "policy"): _configured("policy"),
    ("resource", "aws_kms_replica_key", "policy"): _configured("policy"),
    ("resource", "aws_kms_replica_external_key", "policy"): _configured("policy"),
    ("resource", "aws_s3_bucket", "bucket"): _configured("bucket"),
    ("resource", "aws_s3_bucket", "id"): _configured("bucket"),
}
