"""The example in `examples/terraform`: its keys, and places that a reader finds."""

from pathlib import Path

from kmslint.model.key import Key
from kmslint.sources.hcl.folder import Folder
from kmslint.sources.terraform_hcl import keys_from_directories

STATEMENTS = {
    "aws_kms_key.exports": [("AccountAdministers", "main.tf"), ("PartnerReads", "main.tf"), ("LogsEncrypt", "main.tf")],
    "module.backups.aws_kms_key.this": [("AccountAdministers", "modules/key/main.tf"), ("UsersDecrypt", "modules/key/main.tf")],
}


def test_keys_and_places_of_the_example(root: Path) -> None:
    example = root / "examples" / "terraform"
    folders = (str(example), str(example / "modules" / "key"))
    found = list(keys_from_directories(Folder(str(example)), folders))
    keys = {key.source.address: key for key in found if isinstance(key, Key)}
    assert len(found) == len(keys)
    assert set(keys) == set(STATEMENTS)
    for address, wanted in STATEMENTS.items():
        statements = keys[address].policies[0].policy.statements
        assert [(statement.sid, statement.node.text.file) for statement in statements] == [
            (sid, str(example / file)) for sid, file in wanted
        ]
        for statement in statements:
            location = statement.node.locate()
            lines = Path(location.file or "").read_text(encoding="utf-8").split("\n")
            assert lines[location.line - 1].strip() in {"statement {", "{"}
            assert any(f'"{statement.sid}"' in line for line in lines[location.line : location.end_line])
