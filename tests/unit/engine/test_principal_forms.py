"""The form of principals, read part by part, against the regular expressions that say it in one line."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmslint.engine.predicates.principals import _wrong_form

ARN = re.compile(r"arn:(?P<partition>[a-z0-9-]+):(?P<service>iam|sts)::(?P<account>[0-9]{12}):(?P<resource>.+)\Z", re.DOTALL)
NAME = r"[A-Za-z0-9_+=,.@-]+"
PATH = r"(?:[!-.0-~]+/)*"
RESOURCES = {
    "iam": re.compile(rf"(?:root|user/{PATH}{NAME}|role/{PATH}{NAME})\Z"),
    "sts": re.compile(rf"(?:assumed-role/{NAME}/{NAME}|federated-user/{NAME})\Z"),
}


def is_fine(text: str) -> bool:
    found = ARN.match(text)
    if found is None or any(part in found["resource"] for part in ("group/", "*", "?")):
        return False
    return RESOURCES[found["service"]].match(found["resource"]) is not None and found["partition"] == "aws"


def spelt(*options: str) -> st.SearchStrategy[str]:
    return st.sampled_from(options)


PARTS = spelt(
    "root", "user", "role", "assumed-role", "federated-user", "", "a", "A b", "é", "x\n", "~", "a@b", "app", "s3.x", "/"
)
RESOURCE = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
ACCOUNT = spelt("111122223333", "111122223333", "11112222333", "11112222333a", "", "\u0661" * 12)
ARNS = st.builds(
    "{}:{}:{}:{}:{}:{}".format,
    spelt("arn", "arn", "Arn"),
    spelt("aws", "aws", "aws-cn", "AWS", "", "-"),
    spelt("iam", "sts", "s3"),
    spelt("", "", "eu-west-1"),
    ACCOUNT,
    RESOURCE,
)


@given(ARNS)
def test_an_arn_is_fine_where_the_expressions_say_so(text: str) -> None:
    assert (_wrong_form(text, "aws") is None) == is_fine(text)


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::111122223333:role/a/b/c",
        "arn:aws:sts::111122223333:assumed-role/a/b",
        "arn:aws:sts::111122223333:federated-user/a",
        "111122223333",
        "AROAEXAMPLEEXAMPLE",
        "*",
    ],
)
def test_a_form_that_aws_writes_is_fine(text: str) -> None:
    assert _wrong_form(text, "aws") is None
    assert _wrong_form(text + "\n", "aws") is not None
