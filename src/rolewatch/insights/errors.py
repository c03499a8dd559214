"""What is wrong with a query, and where; the place is that of `queryCompileError` in the service's MalformedQueryException."""

from rolewatch.base.errors import UsageError, marked


class QueryError(UsageError):
    """A query that cannot be run; `start` and `end` count characters of the query from 0, `end` being exclusive."""

    def __init__(self, message: str, query: str, start: int, end: int, *, remedy: str | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.query = query
        self.start = start
        self.end = min(end, len(query))

    def __str__(self) -> str:
        """Return message, place and remedy in one line."""
        line = self.query.count("\n", 0, self.start) + 1
        column = self.start - self.query.rfind("\n", 0, self.start)
        return f"{super().__str__()}, at line {line}, column {column} of the query"

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes with all fields."""
        return _remade, (self.message, self.query, self.start, self.end, self.remedy)

    def drawing(self) -> str:
        """Return the line that is wrong with carets below the place, cut where it is long."""
        begin = self.query.rfind("\n", 0, self.start) + 1
        close = self.query.find("\n", begin)
        line = self.query[begin : close if close >= 0 else len(self.query)]
        return marked(line, self.start - begin, self.end - begin)


def _remade(message: str, query: str, start: int, end: int, remedy: str | None) -> QueryError:
    return QueryError(message, query, start, end, remedy=remedy)
