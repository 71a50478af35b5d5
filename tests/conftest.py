"""What every test may lean on: the Hypothesis profiles, the shared inputs, and a path to the test support modules.

The repository is put at the end of `sys.path`: an installed kmslint is tested if there is one, else this checkout.
"""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

settings.register_profile("dev", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("nightly", max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


def shared_path() -> Path | None:
    """The folder of real inputs: KMSLINT_SHARED, else `../shared` beside the checkout; None where neither is a folder."""
    named = os.environ.get("KMSLINT_SHARED")
    folder = Path(named) if named else ROOT.parent / "shared"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout: where `rules/`, `examples/` and `tools/` are."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real inputs; a test that asks for it is skipped where it is absent."""
    folder = shared_path()
    if folder is None:
        pytest.skip("no real inputs: neither KMSLINT_SHARED nor ../shared beside the checkout is a folder")
    return folder
