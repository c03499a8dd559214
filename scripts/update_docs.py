"""Put what the tables of commands and options say into the documentation, between markers.

`<!-- command NAME -->` … `<!-- /command -->` in docs/commands.md holds a command's usage, options and examples;
`<!-- settings -->` … `<!-- /settings -->` in docs/configuration.md the keys and variables of all options, and
`<!-- queries -->` … `<!-- /queries -->` in docs/queries.md the queries of the library, and
`<!-- columns -->` … `<!-- /columns -->` in docs/lake.md the columns of a lake.

Usage: update_docs.py [--check]; with --check nothing is written, and the exit status is 1 if a page is out of date.
"""

from __future__ import annotations

import re
import sys
from itertools import groupby
from pathlib import Path

from rolewatch.base.settings import variable
from rolewatch.cli.commands import COMMANDS, load
from rolewatch.cli.main import CONFIG, usage_of
from rolewatch.cli.options import Option, default_of
from rolewatch.insights.library import library
from rolewatch.lake.schema import FIELDS

DOCS = Path(__file__).resolve().parent.parent / "docs"
COMMAND = re.compile(r"(?<=<!-- command )([a-z]+)( -->\n).*?(?=<!-- /command -->)", re.DOTALL)
SETTINGS = re.compile(r"(?<=<!-- settings -->\n).*?(?=<!-- /settings -->)", re.DOTALL)

COLUMNS = re.compile(r"(?<=<!-- columns -->\n).*?(?=<!-- /columns -->)", re.DOTALL)
QUERIES = re.compile(r"(?<=<!-- queries -->\n).*?(?=<!-- /queries -->)", re.DOTALL)


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table; a bar in a cell is only a sign."""
    lines = [head, ("---",) * len(head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def command_section(name: str) -> str:
    """Return usage, options and examples of a command."""
    command = load(name)
    parts = [f"```text\n{usage_of(name, command)}\n```\n"]
    if command.POSITIONALS:
        parts.append(
            table(("argument", "is"), [(f"`{each.metavar}`", each.help) for each in command.POSITIONALS])
        )
    options = (*command.OPTIONS, CONFIG)
    for group, members in groupby(options, key=lambda option: option.group):
        rows = [option_row(option) for option in members]
        parts.append(table((group, "means", "default"), rows))
    examples = "\n\n".join(f"# {what}\n{line}" for line, what in command.EXAMPLES)
    parts.append(f"```bash\n{examples}\n```\n")
    return "\n" + "\n".join(parts) + "\n"


def option_row(option: Option) -> tuple[str, str, str]:
    """Return the row of an option: how it is typed, what it means, its default."""
    typed = f"`--{option.name}{f' {option.metavar}' if option.metavar else ''}`"
    choices = f": {', '.join(f'`{choice}`' for choice in option.choices)}" if option.choices else ""
    return typed, f"{option.help}{choices}", default_of(option)


def settings_section() -> str:
    """Return the table of all keys, with their variables, options and commands."""
    users: dict[str, list[str]] = {}
    for command in COMMANDS:
        for option in load(command).OPTIONS:
            users.setdefault(option.name, []).append(f"`{command}`")
    rows = [
        (f"`{name}`", f"`{variable(name)}`", f"`--{name}`", ", ".join(commands))
        for name, commands in sorted(users.items())
    ]
    rows.append(("", f"`{variable(CONFIG.name)}`", f"`--{CONFIG.name}`", "all"))
    return "\n" + table(("key", "variable", "option", "commands"), rows) + "\n"


def queries_section() -> str:
    """Return the queries of the library: what each answers, and its text, below the folder of their names."""
    parts = []
    for folder, members in groupby(library(), key=lambda query: query.name.partition("/")[0]):
        parts.append(f"## {folder}\n")
        parts += [f"### {query.name}\n\n{query.about}\n\n```text\n{query.text}\n```\n" for query in members]
    return "\n" + "\n".join(parts) + "\n"


def columns_section() -> str:
    """Return the columns of a lake that have another name than their field, and those that have the same."""
    same = ", ".join(f"`{field.column}`" for field in FIELDS if len(field.steps) == 1)
    rows = [(f"`{'.'.join(each.steps)}`", f"`{each.column}`") for each in FIELDS if len(each.steps) > 1]
    return f"\nAs their fields are called: {same}.\n\n" + table(("field", "column"), rows) + "\n"


def updated(page: Path) -> str:
    """Return a page with its sections as the tables have them now."""
    text = COMMAND.sub(lambda found: f"{found[1]}{found[2]}{command_section(found[1])}", page.read_text())
    text = SETTINGS.sub(lambda _: settings_section(), text)
    text = COLUMNS.sub(lambda _: columns_section(), text)
    return QUERIES.sub(lambda _: queries_section(), text)


def main() -> int:
    """Write or check the pages; return the exit status."""
    old = [page for page in sorted(DOCS.glob("*.md")) if updated(page) != page.read_text()]
    for page in old:
        if "--check" in sys.argv:
            print(f"docs/{page.name}: out of date; run scripts/update_docs.py")
        else:
            page.write_text(updated(page))
            print(f"docs/{page.name}: new")
    return 1 if old and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
