"""The page on the article's alarm tells what replay finds."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_article_page_is_current():
    """The numbers in docs/article.md are those of a replay of the example templates."""
    script = ROOT / "scripts" / "make_story.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), "run scripts/make_story.py"


def test_article_pictures_are_there():
    """The page's pictures exist and are PNG."""
    text = (ROOT / "docs" / "article.md").read_text()
    for name in ("article", "slr-denied"):
        assert f"images/replay-{name}.png" in text
        assert (ROOT / "docs" / "images" / f"replay-{name}.png").read_bytes().startswith(b"\x89PNG")
