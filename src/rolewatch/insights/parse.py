"""A query's text in, its commands out, whose names fit together; QueryError with the place of what is wrong."""

from rolewatch.insights.commands import Commands
from rolewatch.insights.names import check_names
from rolewatch.insights.scanner import Scanner
from rolewatch.insights.syntax import Query


def parse_query(text: str) -> Query:
    """Parse a query; QueryError if it is none, or refers to what cannot be there."""
    scanner = Scanner(text)
    commands = Commands(scanner)
    if not scanner.next:
        raise scanner.unexpected("a command")
    found = commands.several()
    if scanner.next:
        raise scanner.unexpected("'|' or the end of the query")
    query = Query(found, text)
    check_names(query)
    return query
