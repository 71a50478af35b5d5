"""Named checks: what neither a question in IAM's grammar nor a schema over facts can say.

`PREDICATES` maps the name that a rule writes to a function of key, settings and parameters. Each module is imported when
one of its checks first runs, so that a rule about dates costs a policy check nothing.
"""

from collections.abc import Iterable, Mapping
from importlib import import_module
from types import MappingProxyType

from kmslint.engine.finding import Finding, Predicate
from kmslint.model.key import Key
from kmslint.model.settings import Settings
from kmslint.typed import Final, cast

_MODULES: Final = {
    # module: the checks in it
    "actions": ("unknown_action", "ineffective_action"),
    "administrators": ("no_durable_admin",),
    "audit": ("key_use_not_logged", "weak_log_integrity", "no_key_alarms", "unretained_evidence"),
    "conditions": ("unknown_condition_key", "operator_type_mismatch", "bad_via_service_value", "uncarried_encryption_context"),
    "dates": ("pending_deletion", "rotation_overdue", "no_manual_rotation", "key_material_expires", "unused_key"),
    "effects": ("vacuous_set_operator", "optional_condition", "impossible_condition"),
    "grammar": ("ineffective_statement", "document_limits", "resource_not_star"),
    "grants": ("untrusted_grant", "overbroad_grant"),
    "integrations": ("integration_lacks_permission", "cloudtrail_integration", "cloudwatch_logs_integration"),
    "metadata": ("secrets_in_metadata", "missing_ownership"),
    "negations": ("negated_allow",),
    "overlaps": ("shadowed_statement",),
    "principals": ("invalid_principal", "orphaned_principal"),
    "regions": ("undeclared_multi_region", "unapproved_replica_region"),
    "rights": (
        "admin_uses_key",
        "non_admin_policy_change",
        "self_service_attributes",
        "unconstrained_create_grant",
        "network_condition_blocks_services",
    ),
    "services": ("confused_deputy", "via_service_on_service_principal", "needless_service_principal"),
}


def _lazy(module: str, name: str) -> Predicate:
    found: list[Predicate] = []

    def predicate(key: Key, settings: Settings, params: Mapping[str, object]) -> Iterable[Finding]:
        if not found:
            found.append(cast("Predicate", getattr(import_module(f"kmslint.engine.predicates.{module}"), name)))
        return found[0](key, settings, params)

    predicate.__name__ = name
    return predicate


PREDICATES: Final[Mapping[str, Predicate]] = MappingProxyType(
    {name: _lazy(module, name) for module, names in _MODULES.items() for name in names}
)
"""Every named check by its name."""
