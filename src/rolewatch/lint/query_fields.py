"""The fields of a query in; those that no record of CloudTrail has, with what was probably meant, out."""

from collections.abc import Iterable

from rolewatch.lint.trail import misspelled
from rolewatch.patterns.syntax import ANY


def unknown_fields(fields: Iterable[tuple[str, ...]]) -> dict[str, str]:
    """Give, by the names of unknown fields, the names of known ones that are nearest, "" where none is near.

    A step of digits is an element of an array. Fields whose names begin with `@` are none of the record's own.
    """
    found: dict[str, str] = {}
    for steps in fields:
        wrong = misspelled(tuple(ANY if step.isdigit() else step for step in steps))
        if wrong is None or steps[0].startswith("@"):
            continue
        step, near = wrong
        place = steps.index(step)
        found[".".join(steps)] = ".".join((*steps[:place], near, *steps[place + 1 :])) if near else ""
    return found
