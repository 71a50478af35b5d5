"""kmslint: what an AWS KMS key policy really allows, by proof.

    >>> from kmslint import check_policy
    >>> report = check_policy(text, account="111122223333")

Everything public is imported when it is first used, so that `import kmslint` costs nothing.
"""

__version__ = "0.1.0"

_HOMES = {
    "Key": "kmslint.model.key",
    "Report": "kmslint.model.result",
    "Request": "kmslint.policy.request",
    "Result": "kmslint.model.result",
    "Settings": "kmslint.model.settings",
    "ask": "kmslint.asking",
    "check_policy": "kmslint.app",
    "diff": "kmslint.difference",
    "load_rules": "kmslint.app",
    "scan_keys": "kmslint.app",
}

__all__ = [
    "Key",
    "Report",
    "Request",
    "Result",
    "Settings",
    "__version__",
    "ask",
    "check_policy",
    "diff",
    "load_rules",
    "scan_keys",
]


def __getattr__(name: str) -> object:
    """The public name, imported from where it lives."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """The public names, whether imported yet or not."""
    return sorted({*globals(), *_HOMES})
