"""The contents of the site, beside every page: here, because a code host would show them on a page as code."""

from __future__ import annotations

from sphinx.application import Sphinx

CONTENTS = {
    "Tutorial": ["/docs/tutorial/index", "/notebooks/*"],
    "How to": ["/docs/how-to/*"],
    "Reference": [
        "/docs/reference/definition-language",
        "/docs/reference/magics",
        "/docs/reference/conditions",
        "/docs/reference/graph",
        "/docs/reference/databases",
        "/docs/reference/codecs",
        "/docs/reference/settings",
        "/docs/reference/command-line",
        "/docs/reference/api",
    ],
    "Explanation": [
        "/docs/explanation/relational-workflow",
        "/docs/explanation/pipeline-projects",
        "/docs/explanation/object-augmented-schemas",
        "/docs/explanation/populate",
        "/docs/explanation/design",
    ],
    "Project": ["/CONTRIBUTING", "/CHANGELOG"],
}
API = ["schemas", "tables", "queries", "populate", "diagrams", "connections", "stores", "errors"]


def add_contents(app: Sphinx, page: str, text: list[str]) -> None:
    """Add the contents to the first page, and those of the Python API to its page."""
    if page == app.config.root_doc:
        text[0] += "".join(_toctree(entries, caption) for caption, entries in CONTENTS.items())
    elif page == "docs/reference/api":
        text[0] += _toctree([f"python/{name}" for name in API])


def _toctree(entries: list[str], caption: str = "") -> str:
    options = ":hidden:\n:glob:\n" + (f":caption: {caption}\n" if caption else "")
    return "\n```{toctree}\n" + options + "\n" + "\n".join(entries) + "\n```\n"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", add_contents)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
