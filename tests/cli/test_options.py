"""Options as data: how words are sorted, what they become, and where a wrong one is said to stand."""

import argparse

import pytest

from rolewatch.base.errors import UsageError
from rolewatch.base.settings import Setting
from rolewatch.cli import options as opts
from rolewatch.cli.options import Option, Positional

NAME = Option("name", "a name", "NAME")
COUNT = Option("count", "how many", "N", int, default=3)
KIND = Option("kind", "what kind", "KIND", choices=("a", "b"), default=("a",), many=True)
QUICK = Option("quick", "100% quick", flag=True, default=False)
OPTIONS = (NAME, COUNT, KIND, QUICK)
PLACES = (Positional("place", "PLACE", "a place", many=True),)
SHELL = (Positional("shell", "SHELL", "a shell", choices=("x", "y")),)


def parser(positionals=PLACES):
    """Return a parser of the table above."""
    made = argparse.ArgumentParser(prog="it", allow_abbrev=False)
    opts.add(made, OPTIONS, positionals)
    return made


def typed(line, positionals=PLACES):
    """Sort the words of a line."""
    return opts.typed(parser(positionals), line.split(), positionals)


def values(line="", **elsewhere):
    """Return what a line and settings from elsewhere come to."""
    found = {name: Setting(words, f"there: {name}") for name, words in elsewhere.items()}
    return opts.values(typed(f"p {line}"), OPTIONS, found)


SORTED = [
    ("p", {"place": ["p"]}),
    ("p q --name x", {"place": ["p", "q"], "name": ["x"]}),
    ("--name x p --quick q --quick r", {"place": ["p", "q", "r"], "name": ["x"], "quick": ["true", "true"]}),
    ("--name=x p", {"place": ["p"], "name": ["x"]}),
    ("--name= p", {"place": ["p"], "name": [""]}),
    ("p --name x --name y", {"place": ["p"], "name": ["x", "y"]}),
    ("- --quick -", {"place": ["-", "-"], "quick": ["true"]}),
    ("--quick -- --name -x --", {"place": ["--name", "-x", "--"], "quick": ["true"]}),
    ("p --name=-- --kind=--", {"place": ["p"], "name": ["--"], "kind": ["--"]}),
    ("p --count -5", {"place": ["p"], "count": ["-5"]}),
]


@pytest.mark.parametrize(("line", "expected"), SORTED)
def test_words_are_sorted_in_any_order(line, expected):
    """Options and positionals may be mixed; after `--` every word is a positional."""
    assert expected == typed(line)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("--nmae x p", "there is no option '--nmae' (did you mean --name?)"),
        ("p --nmae=x", "there is no option '--nmae' (did you mean --name?)"),
        ("p --places", "there is no option '--places' (`it --help` lists them)"),
        ("p --zzz", "there is no option '--zzz' (`it --help` lists them)"),
        ("p -q", "there is no option '-q' (`it --help` lists them)"),
        ("p --nam x", "there is no option '--nam' (did you mean --name?)"),
        ("--quick", "PLACE is missing: a place"),
    ],
)
def test_words_that_fit_nowhere_are_refused(line, reason):
    """An unknown option is named with the nearest one; no abbreviation is guessed."""
    with pytest.raises(UsageError) as caught:
        typed(line)
    assert reason == str(caught.value)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "SHELL is missing: a shell"),
        ("z", "SHELL: 'z' is none of x, y"),
        ("x y", "'y' is one word too many"),
        ("x --name n y", "'y' is one word too many"),
    ],
)
def test_a_single_positional_takes_one_of_its_choices(line, reason):
    """Nothing is dropped without a word."""
    with pytest.raises(UsageError) as caught:
        typed(line, SHELL)
    assert reason == str(caught.value)


@pytest.mark.parametrize("words", [[""], ["p", ""], ["--", " "]])
def test_an_empty_positional_is_refused(words):
    """It is a variable of a script that was not set, and means nothing."""
    with pytest.raises(UsageError, match="PLACE is empty"):
        opts.typed(parser(), words, PLACES)


def test_several_positionals_take_their_words_in_turn():
    """The last one may take many."""
    both = (*SHELL, *PLACES)
    assert typed("x p q", both) == {"shell": ["x"], "place": ["p", "q"]}


def test_without_anything_the_defaults_hold():
    """A default is a value, not a word."""
    assert values() == {"name": None, "count": 3, "kind": ("a",), "quick": False}


def test_what_is_typed_goes_before_what_is_set_elsewhere():
    """Typed, then set, then the default."""
    found = values("--name typed --kind b", name=["set"], count=["7"], quick=["yes"], kind=["a"])
    assert found == {"name": "typed", "count": 7, "kind": ("b",), "quick": True}


@pytest.mark.parametrize("line", ["--kind a,b", "--kind a --kind b", "--kind a,,b,", "--kind=a,b,a"])
def test_options_that_take_many_are_repeated_or_listed(line):
    """Both ways mean the same; order is kept, and repeats and gaps are dropped."""
    assert values(line)["kind"] == ("a", "b")


def test_an_empty_list_elsewhere_is_an_empty_value():
    """`kind = []` in a file takes the default away."""
    assert values(kind=[])["kind"] == ()


@pytest.mark.parametrize(
    ("word", "expected"),
    [(word, True) for word in ("1", "true", "YES", "On")]
    + [(word, False) for word in ("0", "false", "No", "off")],
)
def test_switches_are_set_elsewhere_by_word(word, expected):
    """The usual words for yes and no count, in any case."""
    assert values(quick=[word])["quick"] is expected


@pytest.mark.parametrize(
    ("line", "elsewhere", "reason"),
    [
        ("--name a --name b", {}, "--name takes one value, not 2: a, b"),
        ("", {"name": ["a", "b"]}, "there: name takes one value, not 2: a, b"),
        ("", {"name": []}, "there: name is empty"),
        ("", {"quick": []}, "there: quick is empty"),
        ("", {"quick": ["maybe"]}, "there: quick: 'maybe' is neither true nor false"),
        ("--name=", {}, "--name is empty"),
        ("--kind=", {}, "--kind is empty"),
        ("--kind=,", {}, "--kind is empty"),
        ("--kind a,c", {}, "--kind: 'c' is none of a, b"),
        ("", {"kind": ["c"]}, "there: kind: 'c' is none of a, b"),
        ("--count x", {}, "--count: invalid literal for int() with base 10: 'x'"),
        ("", {"count": ["x"]}, "there: count: invalid literal for int() with base 10: 'x'"),
    ],
)
def test_a_wrong_word_is_named_with_its_place(line, elsewhere, reason):
    """Whether it was typed or stands somewhere else, the reader learns where to change it."""
    with pytest.raises(UsageError) as caught:
        values(line, **elsewhere)
    assert reason == str(caught.value)


def test_help_tells_choices_and_default():
    """Choices and the default follow the text; a percent sign is only a sign."""
    text = parser().format_help()
    assert "what kind: a, b (default: a)" in text
    assert "how many (default: 3)" in text
    assert "100% quick" in text


def test_a_default_can_be_shown_in_other_words():
    """Where the value would not tell, the table does; no default, no words."""
    week = Option("after", "how long", "SPAN", default=604_800, shown="7d")
    assert [opts.default_of(each) for each in (week, KIND, NAME, QUICK)] == ["7d", "a", "", ""]
