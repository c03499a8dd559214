"""Progress and questions on a terminal, for deploy and destroy."""

import io
import sys

import pytest

from rolewatch.aws.progress import At
from rolewatch.cli import aws_stacks


class Terminal(io.StringIO):
    """A terminal that keeps what is written to it."""

    def isatty(self):
        """Say that somebody sees it."""
        return True


@pytest.fixture
def show(monkeypatch):
    """Give a function that puts a terminal in the place of standard input and standard error, and returns its screen."""

    def shown():
        screen = Terminal()
        monkeypatch.setattr(sys, "stderr", screen)
        monkeypatch.setattr(sys, "stdin", Terminal("yes\n"))
        return screen

    return shown


def test_progress_is_one_line(show):
    """It says the stack's status, how many of its resources are done and which one was the latest; at the end it is gone."""
    terminal = show()
    with aws_stacks.waiting(24) as manner:
        manner.tell(At("CREATE_IN_PROGRESS", 3, "TrailBucket create\x1b[2J complete"))
    assert terminal.getvalue() == (
        "\r\x1b[Kcreate in progress: 3 of 24  TrailBucket create\\x1b[2J complete\r\x1b[K"
    )


def test_no_total_no_promise(show):
    """Where it is not known how many there are, only how many are done is said."""
    terminal = show()
    with aws_stacks.waiting() as manner:
        manner.tell(At("DELETE_IN_PROGRESS", 2, ""))
    assert "delete in progress: 2  " in terminal.getvalue()


def test_without_a_terminal_nothing_is_drawn(monkeypatch):
    """Nobody is told of progress where nobody would see it."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with aws_stacks.waiting(24) as manner, aws_stacks.counting("versions deleted") as deleted:
        assert (manner.tell, deleted) == (None, None)
    assert sys.stderr.getvalue() == ""


def test_an_interruption_says_that_aws_goes_on(show):
    """Ctrl-C ends the waiting, not what CloudFormation does."""
    terminal = show()
    with pytest.raises(KeyboardInterrupt), aws_stacks.waiting():
        raise KeyboardInterrupt
    assert "CloudFormation goes on by itself; run the same command again" in terminal.getvalue()


def test_counting(show):
    """What is deleted is counted on one line, which goes at the end."""
    terminal = show()
    with aws_stacks.counting("versions deleted") as deleted:
        deleted(12_000)
    assert terminal.getvalue() == "\r\x1b[K12,000 versions deleted\r\x1b[K"


def test_answer(show):
    """What is typed is the answer, without its newline."""
    terminal = show()
    assert (aws_stacks.answer("Go on? [y/N] "), terminal.getvalue()) == ("yes", "Go on? [y/N] ")
