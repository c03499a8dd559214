"""Queries in, their parts or what is wrong with them out."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolewatch.insights import QueryError, parse_query
from rolewatch.insights.names import canonical
from rolewatch.insights.syntax import Call, Field, Number, ParseGlob, Period, Regex, Text, Truth


def written(node):
    """Write an expression with all parentheses, as a test can be read."""
    match node:
        case Call("in" | "not-in" as name, (left, values)):
            return f"({written(left)} {name} {[written(item) for item in values.items]})"
        case Call(name, (left, right)) if not name.isalpha() or name in ("and", "or", "like"):
            return f"({written(left)} {name} {written(right)})"
        case Call(name, arguments):
            return f"{name}({', '.join(map(written, arguments))})"
        case Field():
            return ".".join(f"[{step}]" if isinstance(step, int) else step for step in node.steps)
        case Regex(source):
            return f"/{source}/"
        case Period(milliseconds, months):
            return f"{milliseconds}ms" if milliseconds else f"{months}mo"
        case Number(value) | Truth(value):
            return str(value)
        case Text(value):
            return repr(value)
        case _:
            return "*"


def expression(text):
    """Parse a text as the expression of a filter, and write it."""
    return written(parse_query(f"filter {text}").commands[0].condition)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1 or b = 2 and not c = 3", "((a = 1) or ((b = 2) and not((c = 3))))"),
        ("(a = 1 or b = 2) and c", "(((a = 1) or (b = 2)) and c)"),
        ("a + b * 2 - 1 > 3", "(((a + (b * 2)) - 1) > 3)"),
        ("-a ^ 2 ^ b", "negative((a ^ (2 ^ b)))"),
        ("a % 3 = -1", "((a % 3) = negative(1))"),
        ("a like /x.*y/", "(a like /x.*y/)"),
        ("a =~ 'x'", "(a like /x/)"),
        ("a not like 'x%'", "(a not-like 'x%')"),
        ("a in ['x', 2, -3.5, true]", "(a in [\"'x'\", '2', '-3.5', 'True'])"),
        ("a NOT IN ['x']", "(a not-in [\"'x'\"])"),
        ("a like /(?<n>b\\/c)/", "(a like /(?P<n>b/c)/)"),
        ("strlen(tolower(a)) >= .5", "(strlen(tolower(a)) >= 0.5)"),
        ("bin(300s) = datefloor(@timestamp, 2mo)", "(bin(60000ms) = datefloor(@timestamp, 2mo))"),
        ("a.0.b[1].`c d` = \"it's\"", "(a.0.b.[1].c d = \"it's\")"),
        (r"a = 'it\'s \d'", r"""(a = "it's \\d")"""),
        ("@@name = @`aws.tag.a:b`", "(@@name = @aws.tag.a:b)"),
        ("a = http://34.250.27.141/ and b", "((a = 'http://34.250.27.141/') and b)"),
        ("a=TRUE # and b = 'never read | \"", "(a = True)"),
    ],
)  # fmt: skip
def test_expressions(text, expected):
    """Operators bind as documented, and names and values are read as written."""
    assert expression(text) == expected


@pytest.mark.parametrize(
    ("query", "message", "marked"),
    [
        ("", "expected a command, found the end of the query", ""),
        ("filter a = 1 |", "expected a command", ""),
        ("filtr a = 1", "there is no command 'filtr' (did you mean filter?)", "filtr"),
        ("filter strlenn(a) > 1", "there is no function 'strlenn' (did you mean strlen?)", "strlenn"),
        ("filter a == 1", "there is no operator '==' (write =)", "=="),
        ("filter a <> 1", "there is no operator '<>' (write !=)", "<>"),
        ("filter a = 'x", "nothing closes this '", "'"),
        ("filter a like x", "expected a quoted text or a /regular expression/, found 'x'", "x"),
        ("filter a like /(?!x)/", "not a regular expression that RE2 takes", "/(?!x)/"),
        ("filter a like /(x/", "not a regular expression that RE2 takes", "/(x/"),
        ("filter a in []", "expected a quoted text or a number, found ']'", "]"),
        ("filter a in ('x', 'y')", 'a list stands in brackets (write in ["a", "b"])', "("),
        ("filter a in (1)", 'a list stands in brackets (write in ["a", "b"])', "("),
        ("filter a in (filter b = 1", "expected ')', found the end of the query", ""),
        ("filter a in ()", "expected a command, found ')'", ")"),
        ("filter a in (filter b in (display c) | display d)", "a query within a query cannot hold another one", "("),
        ("filter a in (stats count(*) by b | display c)", "Unknown symbols found in or after stats: c", "c"),
        ("filter a in (display b | SOURCE 'x')", "SOURCE comes first", "SOURCE 'x'"),
        ("join left=a where a.b = c.b (display b)", "join needs two names", "join left=a"),
        ("join left=a right=a where a.b = a.b (display b)", "join needs two names", "join left=a right=a"),
        ("join left=a left=b right=c where a.b = c.b (display b)", "left= stands there twice", "join left=a left="),
        ("join type=outer left=a right=b where a.b = b.b (display b)", "a join is of type inner or left", "outer"),
        ("join left=a right=b (display b)", "expected 'where', found '('", "("),
        ("join left=a right=b where a.b = c.b (display b)", "a join compares a field of a with one of b (write a.field = b.field)", "a.b = c.b"),
        ("join left=a right=b where a = b (display b)", "a join compares a field of a with one of b", "a = b"),
        ("join left=a right=b where a.b > b.b (display b)", "expected '=', found '>'", ">"),
        ("join left=a right=b where a.b = b.b", "expected '(', found the end of the query", ""),
        ("join left=a right=b where a.b = b.b (join left=c right=d where c.e = d.e (display e))", "cannot hold another one", "("),
        ("join left=a right=b where a.b = b.b (display b) | join left=c right=d where c.b = d.b (display b)", "a query has at most one join", "join left=c right=d where c.b = d.b (display b)"),
        ("stats count(*) as n | join left=a right=b where a.m = b.m (display m)", "Unknown symbols found in or after stats: m", "a.m"),
        ("join left=a right=b where a.n = b.m (stats count(*) as n)", "Unknown symbols found in or after stats: m", "b.m"),
        ("join left=a right=b where a.n = b.n (stats count(*) as n) | fields b.m", "Unknown symbols found in or after stats: b.m", "b.m"),
        ("filter a not = 1", "expected 'like' or 'in' after 'not'", "="),
        ("filter (a = 1", "expected ')', found the end of the query", ""),
        ("filter a = 1 b", "expected '|' or the end of the query, found 'b'", "b"),
        ("filter strlen() > 1", "strlen takes 1 argument, found 0", "strlen()"),
        ("filter now(1) > 1", "now takes no arguments, found 1", "now(1)"),
        ("filter bin(a) > 1", "bin takes a span of time such as 5m", "a"),
        ("filter strlen(5m) > 1", "strlen takes no span of time here", "5m"),
        ("filter a = 5x", "'5x' is neither a number nor a span of time", "5x"),
        ("filter bin(0m) = 1", "a span of time has 1 to 1,000,000 of its unit", "0m"),
        ("filter count(*) > 1", "count is a function of several rows", "count(*)"),
        ("filter a[-1] = 1", "an index is a number from 0", "-"),
        ("fields", "expected a field, a value or a function, found the end of the query", ""),
        ("fields a as", "expected a field's name", ""),
        ("fields a. as b", "expected the next step of the field's name", "as"),
        ("limit 0", "a limit is a whole number from 1 to 100,000", "0"),
        ("limit 1e9", "a limit is a whole number from 1 to 100,000", "1e9"),
        ("limit x", "a limit is a whole number from 1 to 100,000", "x"),
        ("stats a by b", "stats takes functions of several rows", "stats a by b"),
        ("stats sum(max(a))", "max is a function of several rows: it stands in stats, and not within another one", "max(a)"),
        ("stats count(*) by sum(a)", "sum is a function of several rows", "sum(a)"),
        ("stats count(*) + a", "Unknown symbols found in or after stats: a", "stats count(*) + a"),
        ("stats count(*) by a | filter b = 1", "Unknown symbols found in or after stats: b", "b = 1"),
        ("stats count(*) as n by a | sort n | stats max(n)", "sort and limit come after the last stats", "sort n"),
        ("fields a as b | fields c as b", "Ephemeral field is already defined: b ([16,29])", "fields c as b"),
        ("parse a '* *' as b", "there are 2 * in the text and 1 names for them", "'* *'"),
        ("parse a /x/", "the regular expression names no field (write (?<name>…) around what to take)", "/x/"),
        ("parse a x as b", "expected a quoted text with * in it, or a /regular expression/", "x"),
        ("dedup a | filter b = 1", "only limit may follow dedup", "filter b = 1"),
        ("unnest a as b", "expected 'into'", "as"),
        ("filterIndex a > 1", "filterIndex takes a field, = or in, and values", "a > 1"),
        ("filter a = 1 | SOURCE logGroups()", "SOURCE comes first", "SOURCE logGroups()"),
        ("SOURCE logGroups(prefix: ['a'])", "there is no way to choose log groups 'prefix' (did you mean namePrefix?)", "prefix"),
        ("SOURCE logGroups(class: [1])", "these are quoted texts", "1"),
        ("SOURCE x", "expected a log group's quoted name, logGroups(…) or dataSource(…)", "x"),
        ("sessionize a", "the command 'sessionize' is not supported", "sessionize"),
        ("lookup t a INTO b", "expected OUTPUT or OUTPUTNEW", "INTO"),
    ],
)  # fmt: skip
def test_errors(query, message, marked):
    """What is wrong is said with its place, and with a remedy where there is one."""
    with pytest.raises(QueryError) as caught:
        parse_query(query)
    assert message in str(caught.value)
    assert query[caught.value.start : caught.value.end] == marked


def test_an_error_is_drawn_below_its_line():
    """Of a query of several lines the one that is wrong is shown, with its place in it."""
    with pytest.raises(QueryError) as caught:
        parse_query("filter a = 1\n| sort b\n| limt 5")
    assert caught.value.drawing() == "| limt 5\n  ^^^^"
    assert str(caught.value).endswith("(did you mean limit?), at line 3, column 3 of the query")


def test_a_long_line_is_cut_around_the_place():
    """The place of an error in a long line is in what is shown."""
    with pytest.raises(QueryError) as caught:
        parse_query(f"filter a in [{', '.join(['1'] * 500)}, x]")
    shown, carets = caught.value.drawing().splitlines()
    assert len(shown) <= 100
    assert shown[carets.index("^")] == "x"


@pytest.mark.parametrize(
    "query",
    [
        "filter " + "(" * 9000,
        "filter " + "not " * 2000 + "a",
        "filter " + "-" * 9000 + "1",
        "filter a" + "^a" * 4000,
        "filter " + "strlen(" * 1300,
        "filter a" + " + 1" * 2400,
        "filter a = '" + "x" * 10_000,
        "filter a = 1" + " | limit 1" * 900,
    ],
    ids=range(8),
)
def test_absurd_queries(query):
    """What is nested or repeated beyond reason is refused, not a crash."""
    with pytest.raises(QueryError):
        parse_query(query)


def test_many_alternatives_are_no_depth():
    """A long list of alternatives is one node, however long it is."""
    found = parse_query("filter " + " or ".join(f"a = {number}" for number in range(700))).commands[0]
    assert len(found.condition.arguments) == 700


def test_stats_names_its_outputs():
    """An output without a name is used by its text, whatever its case and blanks; a name behind by as a field's."""
    query = parse_query(
        "stats SUM( a ) , count(*) as n by b.c, bin(5m) | sort sum(a) desc, n, bin(5m), b.c, b.c.d"
    )
    assert [column.name for column in query.commands[0].aggregates] == ["SUM( a )", "n"]
    assert len(query.commands[1].keys) == 5
    assert canonical(query.commands[1].keys[0].expression) == "sum(a)"


def test_parse_glob_takes_what_is_between_its_texts():
    """The texts around the stars are kept, empty ones as well."""
    (found,) = parse_query('parse @message "[*] *" as loggingType, loggingMessage').commands
    assert isinstance(found, ParseGlob)
    assert (found.texts, found.names) == (("[", "] ", ""), ("loggingType", "loggingMessage"))


def test_numbers_are_exact():
    """An account id with more digits than a double keeps them all."""
    (found,) = parse_query("filter a = 123456789012345678901").commands
    assert found.condition.arguments[1].value == Decimal(123456789012345678901)


PIECES = st.sampled_from(
    ["filter", "stats", "parse", "fields", "limit", " ", "|", "a", "@b", "`", "'", '"', "/", "(", ")", "[", "]", ",", "=", "like", "in", "not",
     "count(*)", "by", "as", "5m", "1", ".", "#", "\n", "\\", "*", "é", "\x00", "bin(", "-", "(?<x>y)", "SOURCE logGroups(", ":"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=60))
def test_any_text_is_read_or_refused_at_a_place(text):
    """Nothing but QueryError comes out, and its place lies in the query."""
    error = None
    try:
        assert parse_query(text).text == text
    except QueryError as caught:
        error = caught
    if error:
        assert 0 <= error.start <= error.end <= len(text)
        assert "\n" not in error.message
        assert error.drawing()
