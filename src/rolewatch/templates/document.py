"""The bytes of a YAML or JSON file in, its nodes out."""

from typing import NamedTuple

from rolewatch.templates.errors import TemplateError
from rolewatch.templates.json_nodes import json_nodes
from rolewatch.templates.nodes import Mapping, kind
from rolewatch.templates.source import Source, decoded
from rolewatch.templates.yaml_nodes import yaml_nodes


class Document(NamedTuple):
    """A file whose whole is a mapping; `alias` is the offset of the first YAML alias in it, if any."""

    source: Source
    root: Mapping
    alias: int | None


def read_document(content: bytes, name: str) -> Document:
    """Read a file; TemplateError with the place of what is wrong."""
    source = decoded(content, name)
    alias: int | None = None
    if source.text.lstrip(" \t\r\n").startswith("{"):
        try:
            root = json_nodes(source)
        except TemplateError as error:
            try:
                root, alias = yaml_nodes(source)  # `{a: b}` is YAML
            except TemplateError:
                raise error from None
    else:
        root, alias = yaml_nodes(source)
    if not isinstance(root, Mapping):
        raise source.error(f"a mapping with keys is wanted, this is {kind(root)}", root.start)
    return Document(source, root, alias)
