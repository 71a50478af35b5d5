"""The documented test vectors, read from the shared data beside the checkout."""

import json
import os
from typing import Any

import pytest

_CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def load() -> list[dict[str, Any]]:
    """Every row of vectors.jsonl; skips the calling module, with the reason, where the data is not there."""
    shared = os.environ.get("KMSLINT_SHARED") or os.path.join(os.path.dirname(_CHECKOUT), "shared")
    path = os.path.join(shared, "data", "vectors.jsonl")
    if not os.path.exists(path):
        pytest.skip(f"no {path}; set KMSLINT_SHARED to the shared data", allow_module_level=True)
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]
