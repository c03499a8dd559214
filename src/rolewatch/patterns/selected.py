"""The bytes of a JSON object in; just those of its values out that patterns select, the rest passed over undecoded.

A typed, partial decoder (msgspec) is generated from the paths. What it does not expect, such as an object where a text
was selected, sends the message through the next decoder: one that leaves values as they are, then the full parse.
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

import msgspec

from rolewatch.patterns.match_json import MISSING, Get, Node, reach_parsed
from rolewatch.patterns.messages import parse_object, parse_value
from rolewatch.patterns.syntax import Step

# What comparisons are nearly always made with. A fraction is none of it: its text says more than a double.
_Simple = str | int | bool | None

UNDECODABLE = re.compile(r'[\x00-\x1f"\\\ud800-\udfff]')  # what msgspec takes in no name of a field

Message = bytes | bytearray | memoryview
Path = tuple[Step, ...]
Names = tuple[str, ...]
Tree = dict[str, Any]  # of names; a leaf is its path


class Selected:
    """Decodes the values at some paths of messages; a path leads on through arrays from where its names end.

    `read` gives None for a message that is no JSON object. What it gives else stands for the message in the functions
    that `reach` makes.
    """

    def __init__(self, paths: Iterable[Path], compared: Collection[Path] = ()) -> None:
        """Take paths, and those of them whose values are compared and nothing else."""
        paths = list(paths)
        self._leaves = _leaves([_names(path) for path in paths])
        # What leads on from a leaf, or is not only compared, needs more of it than a text or a number.
        simple = self._leaves - {
            self._leaf(path) for path in paths if path not in compared or self._leaf(path) != path
        }
        self._whole = () in self._leaves  # a wildcard comes first, so that everything is selected
        names = sorted({name for leaf in self._leaves for name in leaf})
        self._field = {name: f"f{number}" for number, name in enumerate(names)}
        tree: Tree = {}
        for leaf in sorted(self._leaves - {()}):
            node = tree
            for name in leaf[:-1]:
                node = node.setdefault(name, {})
            node[leaf[-1]] = leaf
        typed, raw = self._struct(tree, simple), self._struct(tree, frozenset())
        self._typed: Callable[[Message], Any] = _parse if self._whole else msgspec.json.Decoder(typed).decode
        self._raw = msgspec.json.Decoder(raw).decode
        self._tree, self._simple = tree, simple

    def read(self, message: Message) -> Any:
        """Decode what is selected; None if the message is no JSON object."""
        try:
            return self._typed(message)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._again(message)

    def reach(self, steps: Path) -> Get:
        """Give the function that follows one of the paths, without wildcards, through what was read."""
        if self._whole:
            return reach_parsed(steps)
        leaf = self._leaf(steps)
        fields = attrgetter(".".join(self._field[name] for name in leaf))
        beyond = reach_parsed(steps[len(leaf) :])
        if leaf in self._simple:
            if len(leaf) == 1:
                return fields

            def get_simple(read: Any) -> Node:
                try:
                    return fields(read)
                except AttributeError:  # of an object on the way that is null
                    return MISSING

            return get_simple

        def get(read: Any) -> Node:
            try:
                found = fields(read)
            except AttributeError:
                return MISSING
            return beyond(parse_value(bytes(found)) if type(found) is msgspec.Raw else found)

        return get

    def presence(self, paths: Sequence[Path]) -> Callable[[Any], Sequence[Any]]:
        """Give the function that tells for each of the paths whether its first value may be there: MISSING where it is not."""
        if self._whole or not paths:
            return lambda _: [True] * len(paths)
        firsts = [self._field[self._leaf(path)[0]] for path in paths]
        fields = attrgetter(*firsts)
        return fields if len(firsts) > 1 else lambda read: (fields(read),)

    def _again(self, message: Message) -> Any:
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._filled(self._tree, self._raw(message))
        parsed = _parse(message)
        return None if parsed is None else self._picked(self._tree, parsed)

    def _filled(self, tree: Tree, read: msgspec.Struct) -> SimpleNamespace:
        """Parse the values of what was decoded without looking at them."""
        found: dict[str, Any] = {}
        for name, below in tree.items():
            field = self._field[name]
            value = getattr(read, field)
            if isinstance(below, dict):
                found[field] = None if value is None else self._filled(below, value)
            else:
                found[field] = parse_value(bytes(value)) if type(value) is msgspec.Raw else value
        return SimpleNamespace(**found)

    def _picked(self, tree: Tree, node: dict[str, Any]) -> SimpleNamespace:
        """Pick what is selected from a parsed message."""
        found: dict[str, Any] = {}
        for name, below in tree.items():
            value = node.get(name, MISSING)
            if isinstance(below, dict):
                value = self._picked(below, value) if isinstance(value, dict) else None
            found[self._field[name]] = value
        return SimpleNamespace(**found)

    def _leaf(self, path: Path) -> Names:
        """Give the leaf that a path leads to, or on from."""
        names = _names(path)
        return next(names[:size] for size in range(len(names) + 1) if names[:size] in self._leaves)

    def _struct(self, tree: Tree, simple: frozenset[Names]) -> type[msgspec.Struct]:
        fields: list[tuple[str, Any, Any]] = []
        for name, below in tree.items():
            if isinstance(below, dict):
                fields.append((self._field[name], self._struct(below, simple) | None, None))
            else:
                fields.append((self._field[name], _Simple if below in simple else msgspec.Raw, MISSING))
        names = {field: name for name, field in self._field.items()}
        return msgspec.defstruct("Selection", fields, rename=names, gc=False)


def _parse(message: Message) -> dict[str, Any] | None:
    return parse_object(bytes(message).decode("utf-8", "replace"))


def _names(path: Path) -> Names:
    """Give the names that a path begins with, up to its first index or wildcard, or a name that no decoder can be made for."""
    names: list[str] = []
    for step in path:
        if not isinstance(step, str) or UNDECODABLE.search(step):
            break
        names.append(step)
    return tuple(names)


def _leaves(paths: Iterable[Names]) -> frozenset[Names]:
    """Leave out the paths that lead on from another one: they are found in that one's value."""
    whole = set(paths)
    return frozenset(path for path in whole if not any(path[:size] in whole for size in range(len(path))))
