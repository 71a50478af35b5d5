"""Where Terraform is met among files: folders of code, one named file of it, and plans by their content."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from kmslint.location import Text
from kmslint.model.key import Key
from kmslint.model.result import SourceError
from kmslint.typed import NamedTuple, Union

SUFFIXES = (".tf", ".tf.json", ".tofu", ".tofu.json")
"""How the names of files of code end; OpenTofu is the same language."""


class Given(NamedTuple):
    """What the user said for all modules: values of variables, the Region, and the owner of the keys in a path.

    Into `declared` go the names of the variables of root modules.
    """

    owner: Callable[[str], tuple[str | None, str]]
    region: str | None
    var_files: Sequence[str]
    variables: Mapping[str, str]
    declared: set[str]


def is_code(name: str) -> bool:
    """Whether a file of this name is Terraform code."""
    return name.lower().endswith(SUFFIXES)


def is_plan(content: str) -> bool:
    """Whether a text may be a plan or a state with KMS resources in it, judged without reading it as JSON."""
    head = content[:20_000]
    return '"format_version"' in head and '"terraform_version"' in head and "aws_kms_" in content


def keys_in_folders(folders: Sequence[str], given: Given) -> Iterator[Union[Key, SourceError]]:
    """The keys of the modules in folders of code, and what could not be read of them."""
    from kmslint.sources.hcl.folder import Folder
    from kmslint.sources.inline import with_comments
    from kmslint.sources.terraform_hcl import keys_from_directories

    if folders:
        top = os.path.commonpath([os.path.abspath(folder) for folder in folders])
        files = Folder(_root(top), named=given.var_files)
        found = keys_from_directories(
            files,
            folders,
            owner=given.owner,
            region=given.region,
            var_files=given.var_files,
            variables=given.variables,
            declared=given.declared,
        )
        yield from with_comments(found, files.text)


def keys_in_file(path: str, given: Given) -> Iterator[Union[Key, SourceError]]:
    """The keys of one file of code, which is read with its whole module."""
    from kmslint.sources.hcl.folder import Folder
    from kmslint.sources.inline import with_comments
    from kmslint.sources.terraform_hcl import keys_from_directories

    folder = os.path.dirname(path) or os.curdir
    files = Folder(_root(os.path.abspath(folder)), named=given.var_files)
    found = keys_from_directories(
        files,
        (folder,),
        owner=given.owner,
        region=given.region,
        var_files=given.var_files,
        variables=given.variables,
        declared=given.declared,
        only=path,
    )
    for item in with_comments(found, files.text):
        if isinstance(item, Key) or os.path.normpath(item.source) in {
            os.path.normpath(path),
            *map(os.path.normpath, given.var_files),
        }:
            yield item


def keys_in_text(text: Text, given: Given) -> Iterator[Union[Key, SourceError]]:
    """The keys of code that is no file here: standard input. It is a module of its own."""
    from kmslint.sources.hcl.folder import Folder, Memory
    from kmslint.sources.inline import with_comments
    from kmslint.sources.terraform_hcl import keys_from_directories

    name = text.file or "main.tf"
    beside = Folder(os.curdir, named=given.var_files)
    texts = {path: beside.text(path) for path in given.var_files} | {name: text}
    files = Memory({path: found.content for path, found in texts.items() if found is not None})
    found = keys_from_directories(
        files,
        (os.path.dirname(name) or os.curdir,),
        owner=given.owner,
        region=given.region,
        var_files=given.var_files,
        variables=given.variables,
        declared=given.declared,
    )
    yield from with_comments(found, files.text)


def _root(folder: str) -> str:
    """What modules and files may be read from: the repository around a folder, or the folder itself."""
    here = folder
    while True:
        if os.path.exists(os.path.join(here, ".git")):
            return here
        above = os.path.dirname(here)
        if above == here:
            return folder
        here = above
