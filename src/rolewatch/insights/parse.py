"""A query's text in, its commands out, whose names fit together; QueryError with the place of what is wrong."""

from rolewatch.insights.commands import Commands
from rolewatch.insights.names import check_names
from rolewatch.insights.scanner import Scanner
from rolewatch.insights.syntax import Query, Source

MOST_COMMANDS = 100


def parse_query(text: str) -> Query:
    """Parse a query; QueryError if it is none, or refers to what cannot be there."""
    scanner = Scanner(text)
    commands = Commands(scanner)
    if not scanner.next:
        raise scanner.unexpected("a command")
    found = [commands.one()]
    while scanner.sign("|"):
        if len(found) == MOST_COMMANDS:
            raise scanner.error(f"a query has at most {MOST_COMMANDS} commands", scanner.at, len(text))
        start = scanner.at
        found.append(commands.one())
        if isinstance(found[-1], Source):
            raise scanner.error("SOURCE comes first", start, scanner.behind)
    if scanner.next:
        raise scanner.unexpected("'|' or the end of the query")
    query = Query(tuple(found), text)
    check_names(query)
    return query
