"""The pages that users read, and the code blocks in them."""

from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
HISTORY = ROOT / "CHANGELOG.md"  # what it names may be gone
PAGES = [page for page in sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")]) if page != HISTORY]
TUTORIALS = [page for page in sorted((DOCS / "tutorials").glob("*.md")) if page.name != "index.md"]


def blocks_of(page):
    """Language and text of each fenced block of a page, in order."""
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    return [(token.info.strip(), token.content) for token in tokens if token.type == "fence"]


def name_of(page):
    return str(page.relative_to(ROOT))


def links_of(page):
    """Targets of the links and pictures of a page."""
    tokens = MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))
    inside = [child for token in tokens for child in token.children or []]
    return [target for child in inside if (target := child.attrGet("href") or child.attrGet("src"))]
