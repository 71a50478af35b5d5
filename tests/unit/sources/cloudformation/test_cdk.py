"""An assembly of CDK: findings stand at the line of the user's code that made the key."""

import json
import os
from pathlib import Path

import pytest

from kmslint.model.key import Key, Known
from kmslint.model.settings import Settings
from kmslint.sources.files import Found, collect

APP = "import * as kms from 'aws-cdk-lib/aws-kms';\nconst app = new App();\n  const key = new kms.Key(stack, 'Key');\n"
TEMPLATE = {
    "Resources": {
        "KeyAB12": {
            "Type": "AWS::KMS::Key",
            "Properties": {
                "EnableKeyRotation": False,
                "KeyPolicy": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {"Sid": "All", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
                    ],
                },
            },
        },
        "OtherCD34": {"Type": "AWS::KMS::Key"},
    }
}
LIBRARY = "new Key (/app/node_modules/aws-cdk-lib/aws-kms/lib/key.js:1:7462)"


def trace(*frames: str, type: str = "aws:cdk:creationStack") -> list[dict[str, object]]:
    return [{"type": "aws:cdk:logicalId", "data": "KeyAB12"}, {"type": type, "data": list(frames)}]


def assembly(folder: Path, entries: list[dict[str, object]], *, inside: bool = False, app: str | None = APP) -> Path:
    """A project with its assembly; `inside` puts the metadata into the manifest, as older versions do."""
    out = folder / "project" / "cdk.out"
    out.mkdir(parents=True)
    if app is not None:
        (folder / "project" / "app.ts").write_text(app)
    metadata = {"/Demo/Key/Resource": entries, "/Demo/Other/Resource": [{"type": "aws:cdk:logicalId", "data": "OtherCD34"}]}
    artifact: dict[str, object] = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "Demo.template.json"}}
    artifact |= {"metadata": metadata} if inside else {"additionalMetadataFile": "Demo.metadata.json"}
    (out / "manifest.json").write_text(
        json.dumps({"version": "55.0.0", "artifacts": {"Demo": artifact, "Assets": {"properties": {}}}})
    )
    (out / "Demo.metadata.json").write_text(json.dumps({} if inside else metadata))
    (out / "Demo.template.json").write_text(json.dumps(TEMPLATE))
    return out


def keys(out: Path) -> list[Key]:
    found: list[Found] = list(collect([str(out)], settings=Settings()))
    return [item for item in found if isinstance(item, Key)]


def place(key: Key) -> tuple[str, int, int, str | None]:
    return os.path.basename(str(key.source.file)), key.source.line, key.source.column, key.source.address


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(
    "frame",
    [
        "new Demo (/app/project/app.ts:3:15)",
        "at Object.<anonymous> (/somewhere/else/app.ts:3:15)",
        "/app.ts:3:15",
        "at file:///app/project/app.ts:3:15",
        r"new Demo (C:\build\project\app.ts:3:15)",
    ],
)
def test_a_key_stands_at_the_line_that_made_it(tmp_path: Path, frame: str, inside: bool) -> None:
    key, other = keys(assembly(tmp_path, trace(LIBRARY, "node:internal/main:1:1", frame, "later (/x/y.ts:1:1)"), inside=inside))
    assert place(key) == ("app.ts", 3, 15, "Demo/Key")
    location = key.policies[0].policy.statements[0].node.locate()
    assert (os.path.basename(str(location.file)), location.line, location.column) == ("app.ts", 3, 15)
    assert key.policies[0].policy.statements[0].node.text.line(3) == APP.splitlines()[2]
    rotation = key.facts["rotation.enabled"]
    assert isinstance(rotation, Known)
    assert rotation.location is not None
    assert (rotation.location.line, rotation.location.address) == (3, "Demo/Key")
    assert rotation.location.pointer == "/Resources/KeyAB12/Properties/EnableKeyRotation"
    assert place(other)[0] == "Demo.template.json"
    assert place(other)[3] == "Demo/Other"


def test_the_trace_of_the_logical_id_counts_too(tmp_path: Path) -> None:
    entries: list[dict[str, object]] = [{"type": "aws:cdk:logicalId", "data": "KeyAB12", "trace": [LIBRARY, "x (/p/app.ts:2:3)"]}]
    assert place(keys(assembly(tmp_path, entries))[0]) == ("app.ts", 2, 3, "Demo/Key")


def test_a_source_that_is_not_there_is_told_without_its_text(tmp_path: Path) -> None:
    (key, _) = keys(assembly(tmp_path, trace("x (/gone/far/stack.py:40:9)"), app=None))
    assert (key.source.file, key.source.line, key.source.column) == ("/gone/far/stack.py", 40, 9)
    location = key.policies[0].policy.statements[0].node.locate()
    assert (location.file, location.line, location.column) == ("/gone/far/stack.py", 40, 9)
    assert key.policies[0].policy.statements[0].node.text.line(40).strip() == ""


@pytest.mark.parametrize("path", ["{outside}", "../secret.ts", "/etc/passwd", "cdk.out/../../secret.ts"])
def test_no_file_outside_the_project_is_read(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.ts").write_text("secret\n" * 5)
    frame = f"x ({path.format(outside=tmp_path / 'secret.ts')}:2:1)"
    (key, _) = keys(assembly(tmp_path, trace(frame)))
    assert "secret" not in key.policies[0].policy.statements[0].node.text.line(2)


def test_a_link_out_of_the_project_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.ts").write_text("secret\n" * 5)
    out = assembly(tmp_path, trace("x (/p/link.ts:2:1)"))
    (tmp_path / "project" / "link.ts").symlink_to(tmp_path / "secret.ts")
    (key, _) = keys(out)
    assert "secret" not in key.policies[0].policy.statements[0].node.text.line(2)


@pytest.mark.parametrize(
    "frame",
    [LIBRARY, "", "x", "eval (<anonymous>:1:1)", "x:1", "x (y)", "(:::)", "x (/a.ts:9999999999:1)", "x (/a.ts:0x1:1)", "x (/a\u001b[31m.ts:1:1)", "...new Key in aws-kms...", 7, None, {}],
)  # fmt: skip
def test_a_trace_without_a_place_leaves_the_key_in_the_template(tmp_path: Path, frame: object) -> None:
    (key, _) = keys(assembly(tmp_path, [{"type": "aws:cdk:logicalId", "data": "KeyAB12", "trace": [frame]}]))
    assert place(key)[0] == "Demo.template.json"
    assert place(key)[3] == "Demo/Key"


@pytest.mark.parametrize(
    "manifest",
    ["", "[]", "{}", '{"artifacts": []}', '{"artifacts": {"Demo": {"properties": {"templateFile": "Demo.template.json"}, "additionalMetadataFile": "../x"}}}'],
)  # fmt: skip
def test_without_metadata_the_keys_are_those_of_the_template(tmp_path: Path, manifest: str) -> None:
    out = assembly(tmp_path, [])
    (out / "manifest.json").write_text(manifest)
    assert [place(key)[3] for key in keys(out)] == ["KeyAB12", "OtherCD34"]


def test_a_line_past_the_end_of_the_file_does_no_harm(tmp_path: Path) -> None:
    (key, _) = keys(assembly(tmp_path, trace("x (/p/app.ts:900:70)")))
    assert key.source.line == 900
    assert key.policies[0].policy.statements[0].node.locate().line <= 4
