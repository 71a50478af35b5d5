"""The rows of integrations name services, actions and condition keys that exist."""

import pytest

from kmslint.aws import actions
from kmslint.aws.condition_keys import lookup
from kmslint.aws.integrations import INTEGRATIONS, ROLE, Integration
from kmslint.aws.partitions import VIA_SERVICES, is_service_principal


@pytest.mark.parametrize("row", INTEGRATIONS.values(), ids=lambda row: row.id)
def test_a_row_speaks_of_things_that_exist(row: Integration) -> None:
    assert row.source
    assert row.as_of[:2] == "20"
    for need in row.needs:
        assert [name for name in need.actions if not actions.match(f"kms:{name}")] == []
        assert [name for name, _ in need.context if lookup(name) is None] == []
        assert [name for name in need.absent if lookup(name) is None] == []
        caller = need.caller.replace("{region}", "us-east-1")
        assert caller in {ROLE, "{service}"} or caller.startswith("arn:{partition}:iam::") or is_service_principal(caller)
        services = [value.partition(".")[0] for name, value in need.context if name == "kms:ViaService"]
        assert [service for service in services if service not in VIA_SERVICES] == []


def test_all_twenty_one_are_there() -> None:
    assert len(INTEGRATIONS) == 21
    assert all(name == row.id for name, row in INTEGRATIONS.items())
