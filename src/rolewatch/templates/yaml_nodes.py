"""YAML text in, nodes out: from the parser's events, so that nothing is constructed and nothing recurses.

What CloudFormation does not take is refused: merge keys, a key twice, tags of Python or for dates, several documents.
Aliases are followed as long as what they repeat stays small.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

from rolewatch.templates.nodes import DEEPEST, MOST, PLAIN, Entry, Mapping, Node, Scalar, Sequence
from rolewatch.templates.source import Source
from rolewatch.templates.spans import written

LARGEST = 4 * 1024 * 1024  # bytes; CloudFormation takes 1 MB
NOT_WELL_FORMED = "Template format error: YAML not well-formed."
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # twenty times as fast, where it is installed
_CORE = "tag:yaml.org,2002:"
_HARMLESS = {f"{_CORE}{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map")} | {"!"}
_LONG = {"!Ref": "Ref", "!Condition": "Condition"}


class _Built(NamedTuple):
    """A finished node, how many nodes it is made of, and how deep they are nested."""

    node: Node
    size: int
    height: int


@dataclass
class _Open:
    """A list or mapping whose end has not come yet; in a mapping, `key` waits for its value."""

    event: Any
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: Scalar | None = None
    size: int = 1
    height: int = 0


def yaml_nodes(source: Source) -> tuple[Node, int | None]:
    """Parse YAML; the second value is the offset of the first alias, if there is any.

    Raises TemplateError with the place of what is wrong.
    """
    if len(source.text) > LARGEST:
        raise source.error(f"larger than {LARGEST // 1024 // 1024} MiB, which no YAML file should be")
    builder = _Builder(source)
    try:
        for event in yaml.parse(source.text, Loader=_LOADER):
            builder.take(event)
    except yaml.reader.ReaderError as error:
        raise source.error(f"{NOT_WELL_FORMED} {error.reason}", _offset_of_reader(source, error)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _not_well_formed(
            source, str(error.problem or error.context), mark.index if mark else 0
        ) from None
    if builder.root is None:
        raise source.error("the file is empty")
    return builder.root, builder.first_alias


def _not_well_formed(source: Source, problem: str, offset: int) -> Exception:
    tab = "\t" in source.text[max(0, offset - 1) : offset + 1]
    return source.error(
        f"{NOT_WELL_FORMED} {problem}",
        offset,
        remedy="YAML is indented with spaces, not tabs" if tab else None,
    )


def _offset_of_reader(source: Source, error: yaml.reader.ReaderError) -> int:
    """Find the character that YAML does not allow: the two readers count bytes or characters."""
    character = error.character if isinstance(error.character, str) else chr(error.character)
    return max(source.text.find(character), 0)


class _Builder:
    """Takes events one by one."""

    def __init__(self, source: Source) -> None:
        self.root: Node | None = None
        self.first_alias: int | None = None
        self._source = source
        self._open: list[_Open] = []
        self._anchors: dict[str, _Built] = {}
        self._total = 0

    def take(self, event: Any) -> None:
        """Take an event; TemplateError for what is not allowed."""
        start: int = event.start_mark.index
        if isinstance(event, yaml.ScalarEvent):
            self._finish(self._scalar(event), event)
        elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            self._check_tag(event)
            if len(self._open) >= DEEPEST:
                raise self._too_deep(start)
            self._open.append(_Open(event))
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise self._source.error(
                "a second document begins here", start, remedy="keep one document in a file"
            )

    def _scalar(self, event: Any) -> _Built:
        self._check_tag(event)
        style = event.style or PLAIN
        if event.tag == f"{_CORE}str" or (event.tag == "!" and style == PLAIN):
            style = '"'
        start, end = written(self._source.text, event.start_mark.index, event.end_mark.index)
        return _Built(Scalar(event.value, start, end, style), 1, 0)

    def _close(self) -> None:
        opened = self._open.pop()
        start = opened.event.start_mark.index
        node: Node = (
            Sequence(tuple(opened.items), start)
            if isinstance(opened.event, yaml.SequenceStartEvent)
            else Mapping(opened.entries, start)
        )
        self._finish(_Built(node, opened.size, opened.height + 1), opened.event)

    def _alias(self, event: Any) -> None:
        offset = event.start_mark.index
        self.first_alias = offset if self.first_alias is None else self.first_alias
        found = self._anchors.get(event.anchor)
        if found is None:
            raise self._source.error(
                f"the alias *{event.anchor} stands for nothing that ends before it",
                offset,
                remedy="an alias follows its anchor, outside of it",
            )
        if len(self._open) + found.height > DEEPEST:
            raise self._too_deep(offset)
        self._add(found, offset)

    def _finish(self, built: _Built, event: Any) -> None:
        tag = event.tag
        if tag and tag.startswith("!") and tag != "!":
            name = _LONG.get(tag, f"Fn::{tag[1:]}")
            start = event.start_mark.index
            key = Scalar(name, start, start + len(tag), PLAIN)
            built = _Built(Mapping({name: Entry(key, built.node)}, start), built.size + 1, built.height + 1)
        if event.anchor:
            self._anchors[event.anchor] = built
        self._add(built, event.start_mark.index)

    def _add(self, built: _Built, offset: int) -> None:
        self._total += 1
        if not self._open:
            self.root = built.node
            return
        parent = self._open[-1]
        parent.size += built.size
        parent.height = max(parent.height, built.height)
        if parent.size > MOST or self._total > MOST:
            raise self._source.error(
                f"more than {MOST:,} values, counted with what aliases repeat",
                offset,
                remedy="write out what is meant, or split the file",
            )
        if isinstance(parent.event, yaml.SequenceStartEvent):
            parent.items.append(built.node)
        elif parent.key is None:
            parent.key = self._key(built.node, offset, parent.entries)
        else:
            parent.entries[parent.key.text] = Entry(parent.key, built.node)
            parent.key = None

    def _key(self, node: Node, offset: int, before: dict[str, Entry]) -> Scalar:
        if not isinstance(node, Scalar):
            raise self._source.error("a key has to be a text", offset)
        if node.text == "<<" and node.style == PLAIN:
            raise self._source.error(
                "YAML merge keys (<<) are not supported by CloudFormation", offset, remedy="repeat the keys"
            )
        check_unique(self._source, node, before)
        return node

    def _check_tag(self, event: Any) -> None:
        tag = event.tag
        if tag and not tag.startswith("!") and tag not in _HARMLESS:
            raise self._source.error(
                f"CloudFormation does not support the YAML tag {tag.replace(_CORE, '!!')}",
                event.start_mark.index,
                remedy="leave the tag out",
            )

    def _too_deep(self, offset: int) -> Exception:
        return self._source.error(f"nested more than {DEEPEST} levels deep", offset)


def check_unique(source: Source, key: Scalar, before: dict[str, Entry]) -> None:
    """Raise TemplateError if the key is there already, naming both places."""
    first = before.get(key.text)
    if first is not None:
        place = source.place(first.key.start)
        raise source.error(
            f"the key {key.shown!r} stands here twice, first in line {place.line}, column {place.column}",
            key.start,
            remedy="remove one of them",
        )
