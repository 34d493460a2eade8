"""Text as someone wrote it: definitions in colour, errors with their caret."""

from __future__ import annotations

import re
from html import escape as escape_html

from djupyter.render.characters import visible
from djupyter.render.markup import Html, join, output, prose, tag

_QUOTED = r"'(?:[^'\\]|\\.|'')*+'|\"(?:[^\"\\]|\\.|\"\")*+\""
# Highlighting must show any text, also a wrong one, so it guesses line by line instead of parsing.
# Possessive repeats (*+) keep the time linear whatever the text.
_REMARK = re.compile(rf"(?P<code>(?:{_QUOTED}|[^#])*+)(?P<remark>#.*)?")
_SEPARATOR = re.compile(r"\s*-{3,}.*")
_ARROW = re.compile(
    r"(?P<arrow>\s*->\s*)(?P<options>\[[^\]]*\]\s*)?(?P<parent>[\w.]*?)(?P<rest>\s*\.proj\b.*|\s*)"
)
_INDEX = re.compile(r"(?P<word>\s*(?:unique\s+)?index)(?P<rest>\s*\(.*)", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    rf"(?P<name>\s*\w+\s*)(?P<default>=(?:{_QUOTED}|[^:])*+)?(?P<colon>:)(?P<type>.*)"
)
_CARET = re.compile(r"\s*\|\s*\^+\s*")
_NEWLINE = Html("\n")
# Fixed text: nothing of the user's is ever part of a script.
# Browsers have a clipboard only where the page is encrypted or local; elsewhere the selection is copied.
COPY_SCRIPT = Html(
    "const code=this.closest('.dj-out').querySelector('pre');"
    "const done=()=>{this.textContent='copied'};"
    "const select=()=>{const range=document.createRange();range.selectNodeContents(code);"
    "const marked=getSelection();marked.removeAllRanges();marked.addRange(range);"
    "if(document.execCommand('copy'))done()};"
    "if(navigator.clipboard)navigator.clipboard.writeText(code.textContent).then(done,select);else select()"
)


def definition_html(text: str, title: str = "") -> str:
    """Return a definition in colour with a button that copies it; one click on it selects all.

    The button works where the notebook is trusted; elsewhere Jupyter takes its script away.

    Parameters
    ----------
    text
        A definition, right or wrong.
    title
        What stands above it.

    Examples
    --------
    >>> "<b>mouse</b>" in definition_html("mouse : int32  # ear tag")
    True
    """
    lines = join(map(_line, text.strip("\n").split("\n")), _NEWLINE)
    code = tag(
        "pre",
        lines,
        class_="dj-code dj-whole",
        title="One click selects the whole definition, ready to copy",
        tabindex=0,
    )
    name = tag("strong", title, class_="dj-name") if title else ""
    button = tag("button", "copy", class_="dj-copy", type="button", onclick=COPY_SCRIPT)
    head = tag("div", name, button, class_="dj-caption")
    return output(head, code, styles=("code",))


def error_text(message: str, title: str = "Error") -> str:
    """Return an error as text, every character of it visible.

    >>> error_text("no such table", "MissingTableError")
    'MissingTableError: no such table'
    """
    lines = "\n".join(map(_visible, message.split("\n")))
    return f"{visible(title)}: {lines}"


def error_html(title: str, message: str) -> str:
    """Return an error as HTML; the caret stays under its token.

    Parameters
    ----------
    title
        Name of the error.
    message
        What is wrong, perhaps in several lines with the source and a caret.

    Examples
    --------
    >>> "&lt;script&gt;" in error_html("DefinitionError", "unknown type '<script>'")
    True
    """
    problem, *rest = message.split("\n")
    name = tag("strong", title, class_="dj-name")
    head = tag("div", name, tag("span", problem), class_="dj-caption")
    carets = [place for place, line in enumerate(rest, 1) if _CARET.fullmatch(line)]
    source, advice = rest[: carets[-1]] if carets else [], rest[carets[-1] if carets else 0 :]
    shown = [tag("pre", join(map(_error_line, source), _NEWLINE), class_="dj-code")] * bool(source)
    told = [tag("div", prose(line.strip())) for line in advice]
    return output(
        tag("div", head, *shown, *told, class_="dj-fault", role="alert"), styles=("code",)
    )


def _line(line: str) -> Html:
    found = _REMARK.fullmatch(line)
    code, remark = (found["code"], found["remark"] or "") if found else (line, "")
    return join([_code(code), _span("dj-remark", remark)])


def _code(code: str) -> Html:
    if _SEPARATOR.fullmatch(code):
        return _span("dj-sep", code)
    if found := _ARROW.fullmatch(code):
        return join(
            [
                _span("dj-sep", found["arrow"]),
                _span("dj-word", found["options"] or ""),
                _span("dj-ref", found["parent"]),
                _span("dj-word", found["rest"]),
            ]
        )
    if found := _INDEX.fullmatch(code):
        return join([_span("dj-word", found["word"]), _escape(found["rest"])])
    if found := _ATTRIBUTE.fullmatch(code):
        return join(
            [
                _name(found["name"]),
                _span("dj-text", found["default"] or ""),
                _span("dj-sep", found["colon"]),
                _span("dj-type", found["type"]),
            ]
        )
    return _escape(code)


def _name(text: str) -> Html:
    bare = text.strip()
    before, after = text.split(bare, 1)
    return join([_escape(before), tag("b", bare), _escape(after)])


def _span(name: str, text: str) -> Html:
    return tag("span", _escape(text), class_=name) if text else Html("")


def _error_line(line: str) -> Html:
    if _CARET.fullmatch(line):
        gutter, caret = line.split("^", 1)
        return join([_escape(gutter), tag("span", "^" + caret, class_="dj-error")])
    return _escape(line)


def _visible(line: str) -> str:
    # Tabs are part of the layout here; everything else that does not show is escaped.
    return "\t".join(visible(piece, None) for piece in line.rstrip("\r").split("\t"))


def _escape(line: str) -> Html:
    return Html(escape_html(_visible(line)))
