"""A CloudFormation template becomes its keys of KMS, in every scenario that its conditions allow.

Read are YAML and JSON templates, with what SAM and the Serverless Framework add, wherever a template stands in the text.
A key that comes out the same in all scenarios is one key; else it is one key for each way to come out.

Source: CloudFormation Template Reference, AWS::KMS::Key, AWS::KMS::ReplicaKey, AWS::KMS::Alias.
"""

from collections.abc import Iterator, Mapping, Sequence

from kmslint.aws.partitions import PARTITIONS, partition_of_region
from kmslint.errors import InputError
from kmslint.jsontext import embedded_text, quoted, read_json
from kmslint.location import Text
from kmslint.model.key import UNREAD, Fact, Key, KeyPolicy, Known, Source, Unknown
from kmslint.model.result import SourceError
from kmslint.policy.document import Diagnostic, Policy
from kmslint.policy.parse import parse_shape
from kmslint.sha256 import hexdigest
from kmslint.sources.cfn import values
from kmslint.sources.cfn.conditions import Scenario, names_in, scenarios
from kmslint.sources.cfn.empty_defaults import empty_parameters, empty_principals
from kmslint.sources.cfn.evaluator import Evaluator
from kmslint.sources.cfn.facts import aliases_of, facts_of, is_alias
from kmslint.sources.cfn.given import MAX_WORK, Given
from kmslint.sources.cfn.policy_texts import policy_value
from kmslint.sources.cfn.template import KEY_TYPES, Resource, Template, templates_in
from kmslint.sources.cfn.values import Limit, literal
from kmslint.sources.cfn.yaml_nodes import Documents, pieces_of, read_yaml
from kmslint.sources.owner import infer_owner, infer_partition
from kmslint.sources.policy_json import DEFAULT_POLICY, NotAKey
from kmslint.sources.template_files import is_template
from kmslint.tree import ARRAY, NULL, OBJECT, STRING, Member, Node, Symbol
from kmslint.tree import Template as TextTemplate
from kmslint.typed import Final, NamedTuple, Union

DEFAULT_POLICY_NOTE: Final = (
    "the template sets no key policy: the key has the default one, which lets the account's IAM policies decide"
)

MAX_NESTED: Final = 3
"""Templates inside the text of a template."""


class _Outcome(NamedTuple):
    """A key as it comes out in a scenario."""

    policy: Policy
    key_policy: KeyPolicy
    facts: Mapping[str, Fact]
    notes: tuple[str, ...]
    same: object
    """Equal for outcomes that are the same key."""


def keys_from_template(
    text: Text,
    *,
    account: str | None = None,
    account_source: str = "given",
    region: str | None = None,
    parameters: Mapping[str, str] | None = None,
    declared: set[str] | None = None,
) -> Union[list[Union[Key, SourceError]], NotAKey]:
    """The keys of the templates in `text`, their ids left empty; an error stands behind those that were read before it.

    `parameters` are values of the template's parameters; into `declared` go the names of those that it has. `account` is the owner of the stack, as `account_source` knows it.

    Raises:
        InputError: `text` is no YAML or JSON from the start, or a budget is used up.
    """
    partition = partition_of_region(region) if region else None
    given = Given(parameters or {}, account, region, partition, PARTITIONS[partition or "aws"])
    documents = read_documents(text)
    reader = _Reader(given, account_source, documents.broken, complete=documents.error is None)
    if declared is not None:
        declared.update(name for node in documents.nodes for template in templates_in(node) for name in template.parameters)
    found: list[Union[Key, SourceError]] = []
    try:
        found += reader.keys(documents.nodes)
    except Limit as limit:
        raise InputError(str(limit), source=text.file or text.uri) from None
    error = documents.error
    if error is not None and not found:
        raise error
    if error is not None:
        found.append(SourceError(text.file or text.uri or "", error.line, error.column, error.message, error.help))
    return found or NotAKey("no KMS key in it that is ever made")


def read_documents(text: Text) -> Documents:
    """The documents of a JSON or YAML text. A faulty JSON text is read as far as it goes."""
    if not text.content.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        return read_yaml(text)
    try:
        return Documents((read_json(text),))
    except InputError as error:
        documents = read_yaml(text)
        is_json = (text.file or "").lower().endswith(".json")
        return documents._replace(error=error) if is_json or documents.error else documents


class _Reader:
    """Reads the keys of the templates of one text."""

    def __init__(self, given: Given, account_source: str, broken: frozenset[int], *, complete: bool) -> None:
        self.given = given
        self.account_source = account_source
        self.broken = broken
        self.complete = complete
        self.budget = [MAX_WORK]

    def keys(self, nodes: Sequence[Node]) -> Iterator[Key]:
        """The keys in documents, in order."""
        found = [template for node in nodes for template in templates_in(node)]
        for template in found:
            yield from self._template_keys(template, several=len(found) > 1)
        for node in nodes:
            yield from self._nested_keys(node, 0)

    def _nested_keys(self, root: Node, depth: int) -> Iterator[Key]:
        """The keys of templates that stand in texts, such as a stack set's."""
        stack = [root]
        while stack:
            node = stack.pop()
            if node.kind == STRING and isinstance(node.value, str) and is_template(node.value) and "Resources" in node.value:
                documents = read_documents(inner_text(node))
                for document in documents.nodes if documents.error is None else ():
                    for template in templates_in(document):
                        yield from self._template_keys(template, several=False)
                    if depth < MAX_NESTED:
                        yield from self._nested_keys(document, depth + 1)
            stack.extend(reversed([*(member.value for member in node.members()), *node.items()]))

    def _template_keys(self, template: Template, *, several: bool) -> Iterator[Key]:
        aliases = [resource for resource in template.resources.values() if is_alias(resource)]
        for resource in template.resources.values():
            if resource.type in KEY_TYPES and id(resource.node) not in self.broken:
                address = f"{resource.id} ({resource.at})" if several else resource.id
                yield from self._resource_keys(template, resource, aliases, address)

    def _resource_keys(self, template: Template, resource: Resource, aliases: list[Resource], address: str) -> Iterator[Key]:
        """The key of a resource, or one for each way in which it may come out."""
        wanted = _conditions_of(resource, aliases)
        found = scenarios(template, self.given, wanted, self.budget) if wanted else [Scenario({}, {})]
        if found is None:
            yield self._key(template, resource, address, self._outcome(template, resource, aliases, None))
            return
        outcomes: dict[object, tuple[_Outcome, list[Scenario]]] = {}
        own = literal(resource.node.member("Condition"))
        for scenario in found:
            if own is None or scenario.answers[own]:
                outcome = self._outcome(template, resource, aliases, scenario)
                outcomes.setdefault(outcome.same, (outcome, []))[1].append(scenario)
        for outcome, ways in outcomes.values():
            name = f"{address} (when {_told(ways, own)})" if len(outcomes) > 1 else address
            yield self._key(template, resource, name, outcome)

    def _outcome(self, template: Template, resource: Resource, aliases: list[Resource], scenario: Scenario | None) -> _Outcome:
        answers = scenario.answers if scenario is not None else {}
        settled = _settled(scenario) if scenario is not None else {}

        def reading(*, opens_empty: bool) -> Evaluator:
            return Evaluator(
                template,
                self.given,
                scenario=settled,
                conditions=answers.get,
                current=resource,
                budget=self.budget,
                opens_empty=opens_empty,
            )

        evaluator = reading(opens_empty=False)
        facts = facts_of(resource, evaluator)
        facts["aliases"] = aliases_of(resource, aliases, evaluator, complete=self.complete)
        node, notes = _policy_node(resource, evaluator)
        refused: tuple[Diagnostic, ...] = ()
        empty = empty_parameters(template, self.given.parameters, settled)
        if empty:
            opened, _ = _policy_node(resource, reading(opens_empty=True))
            refused = tuple(empty_principals(opened, template, empty))
            node = opened if refused else node
        policy, diagnostics = parse_shape(node)
        diagnostics += refused
        data = node.text.content[node.start : node.end].encode("utf-8", "surrogatepass") if not notes else b""
        digest = hexdigest(data) if data else None
        key_policy = KeyPolicy(DEFAULT_POLICY, policy, diagnostics, digest)
        same = (values.plain(node), repr(sorted((name, _value(fact)) for name, fact in facts.items())))
        return _Outcome(policy, key_policy, facts, notes, same)

    def _key(self, template: Template, resource: Resource, address: str, outcome: _Outcome) -> Key:
        text, at = resource.key_node.text, resource.key_node.start
        line, column = text.position(at)
        unread = _unread(template, resource)
        facts = dict(outcome.facts)
        if unread is not None:
            facts = {name: fact if name == "manager" else Unknown(UNREAD, unread) for name, fact in facts.items()}
        key = Key(
            id="",
            source=Source("cloudformation", text.file, text.uri, line, column, address),
            policies=(outcome.key_policy,),
            facts=facts,
            region=self.given.region,
            sha256=outcome.key_policy.sha256,
            policies_unread=unread,
            notes=outcome.notes,
        )
        return self._owned(key, outcome.policy)

    def _owned(self, key: Key, policy: Policy) -> Key:
        """The key with its owner. The text tells who it is only where it does not speak of the stack's own account."""
        partition = self.given.partition or infer_partition((policy,))
        if self.given.account is not None:
            return key._replace(account=self.given.account, account_source=self.account_source, partition=partition)
        owner = None if _speaks_of_itself(policy) else infer_owner((policy,), partition)
        return key._replace(account=owner, account_source="inferred" if owner else None, partition=partition)


def inner_text(node: Node) -> Text:
    """The content of a string as a text of its own, whose places are those in the text around it."""
    content = node.text.content
    if content[node.start : node.start + 1] == '"' and "\n" not in content[node.start : node.end]:
        return embedded_text(node)
    pieces = pieces_of(node)
    starts: list[int] = []
    at = 0
    for piece in pieces:
        starts.append(at)
        at += len(piece.value)

    def to_outer(offset: int) -> int:
        from bisect import bisect_right

        index = max(bisect_right(starts, offset) - 1, 0)
        return pieces[index].start + (offset - starts[index] if pieces[index].spread else 0)

    return Text(str(node.value), outer=node.text, to_outer=to_outer)


def _conditions_of(resource: Resource, aliases: Sequence[Resource]) -> list[str]:
    """The conditions on which the key, its properties and its aliases depend."""
    own = literal(resource.node.member("Condition"))
    names = [own] if own is not None else []
    properties = resource.node.member("Properties")
    names += names_in(properties) if properties is not None else []
    for alias in aliases:
        target = alias.property("TargetKeyId")
        if target is not None and resource.id in target.text.content[target.start : target.end]:
            condition = literal(alias.node.member("Condition"))
            names += [condition] if condition is not None else []
            names += [name for part in ("TargetKeyId", "AliasName") if (node := alias.property(part)) for name in names_in(node)]
    return list(dict.fromkeys(names))


def _settled(scenario: Scenario) -> Mapping[str, str | bool | None]:
    """The parameters that a scenario settles."""
    return {name: value for name, value in scenario.assignment.items() if not isinstance(value, bool)}


def _told(ways: Sequence[Scenario], own: str | None) -> str:
    """In which scenarios a key comes out so: what they have in common, and the first of them if that is nothing."""
    first = ways[0].answers
    common = {name: holds for name, holds in first.items() if name != own and all(way.answers[name] == holds for way in ways)}
    return Scenario({}, common or first).named()


def _value(fact: Fact) -> object:
    return fact.value if isinstance(fact, Known) else fact


def _unread(template: Template, resource: Resource) -> str | None:
    """Why nothing is known for sure of a key of this template, if so."""
    if template.macros:
        return f"the macro {quoted(template.macros[0])} may change the template"
    properties = resource.node.member("Properties")
    if resource.node.member("Fn::Transform") is not None or (properties and properties.member("Fn::Transform")):
        return "a transform makes a part of the key"
    return None


def _policy_node(resource: Resource, evaluator: Evaluator) -> tuple[Node, tuple[str, ...]]:
    """The policy of a key, and what to tell of it."""
    written = resource.property("KeyPolicy")
    found = None if written is None else policy_value(written, evaluator)
    if found is None or found.kind == NULL:
        return _default_policy(resource.key_node), (DEFAULT_POLICY_NOTE,)
    return found, ()


def _default_policy(place: Node) -> Node:
    """The key policy that KMS attaches where none is given, all of it at `place`.

    Source: KMS Developer Guide, "Default key policy".
    """
    root = TextTemplate(("arn:", Symbol("AWS::Partition", "partition"), ":iam::", Symbol("AWS::AccountId", "account"), ":root"))

    def text(value: object) -> Node:
        return place._replace(kind=STRING, value=value)

    def mapping(**parts: Node) -> Node:
        return place._replace(kind=OBJECT, value=tuple(Member(name, text(name), node) for name, node in parts.items()))

    statement = mapping(
        Sid=text("Enable IAM User Permissions"),
        Effect=text("Allow"),
        Principal=mapping(AWS=text(root)),
        Action=text("kms:*"),
        Resource=text("*"),
    )
    return mapping(Version=text("2012-10-17"), Statement=place._replace(kind=ARRAY, value=(statement,)))


def _speaks_of_itself(policy: Policy) -> bool:
    """Whether a principal is of the stack's own account."""
    entries = (entry.value for statement in policy.statements for entry in statement.principals or ())
    return any(
        isinstance(part, Symbol) and part.own == "account"
        for value in entries
        if isinstance(value, TextTemplate)
        for part in value.parts
    )
