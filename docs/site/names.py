"""Public names on the pages: each is documented once, and each mention of one leads there.

Docstrings write code between single backticks, as Markdown does. A name among these that the pages document becomes
a link, anything else stays code. Annotations name classes by the file that they lie in: they lead to the public
name, and nowhere when they are not ours.
"""

from __future__ import annotations

import builtins
import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.nodes import find_pending_xref_condition

import djupyter

_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"(?:dj\.|djupyter\.)?([A-Za-z_][\w.]*)(?:\(\))?")
# Where a class that is public only as the type of something lies.
_PAGES = ("djupyter", "djupyter.errors", "djupyter.gc", "djupyter.query.expression")


def mention(
    name: str, rawtext: str, text: str, line: int, inliner: Inliner, *_: Any
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Return code that leads to a documented name, if it is one."""
    code = nodes.literal(rawtext, text, classes=["code"])
    found = _NAME.fullmatch(text)
    if not found:
        return [code], []
    link = addnodes.pending_xref("", code, refdomain="py", reftype="obj", reftarget=found[1])
    env = inliner.document.settings.env
    link["refdoc"], link["mention"] = env.docname, True
    link["py:module"], link["py:class"] = (
        env.ref_context.get(f"py:{it}") for it in ("module", "class")
    )
    return [link], []


def lead(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, text: nodes.TextElement
) -> nodes.Element | None:
    """Lead from what a name is called where it is written to what the pages call it."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    domain = env.domains.python_domain
    for name in _other_names(target):
        if name in domain.objects:
            entry = domain.objects[name]
            uri = app.builder.get_relative_uri(node["refdoc"], entry.docname)
            shown = _shown(node, text)
            return nodes.reference("", "", shown, refuri=f"{uri}#{entry.node_id}", internal=True)
    # A role that somebody wrote on purpose must lead somewhere; an annotation and a mention may not.
    on_purpose = node.get("refexplicit") is not None and not node.get("mention")
    is_ours = target.startswith(("djupyter", "dj."))
    return None if on_purpose and is_ours else _shown(node, text)


def _shown(node: addnodes.pending_xref, text: nodes.Element) -> nodes.Element:
    """Return the text of a reference; of a name in an annotation its last part."""
    short = find_pending_xref_condition(node, "resolved")
    return nodes.inline("", "", *[it.deepcopy() for it in short.children]) if short else text


def _other_names(target: str) -> Iterator[str]:
    last = target.rpartition(".")[2]
    yield from (f"{module}.{target}" for module in _PAGES)
    yield from (f"{module}.{last}" for module in _PAGES if target.startswith("djupyter."))


def without_python(app: Sphinx, doctree: nodes.document) -> None:
    """Leave what is built into Python alone: `bytes` in an annotation is no attribute of that name."""
    for node in list(doctree.findall(addnodes.pending_xref)):
        if node.get("refdomain") == "py" and node["reftarget"] in vars(builtins):
            node.replace_self(_shown(node, node.children[0]))


def check(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of public names, and of their public methods, that no page documents."""
    documented = env.domains.python_domain.objects
    for name in public_names():
        if name not in documented:
            _LOG.warning("no page documents %s", name)


def public_names() -> Iterator[str]:
    """Yield all that users may call, by its full name."""
    for name in djupyter.__all__:
        thing = getattr(djupyter, name)
        home = (
            "djupyter.errors"
            if getattr(thing, "__module__", "") == "djupyter.errors"
            else "djupyter"
        )
        yield f"{home}.{name}"
        if inspect.ismodule(thing):
            yield from (f"{thing.__name__}.{inner}" for inner in _defined_in(thing))
        elif inspect.isclass(thing) and thing.__name__ == name:
            yield from (f"{home}.{name}.{inner}" for inner in _own_methods(thing))
    expression = importlib.import_module("djupyter.query.expression").Query
    for base in expression.__mro__:
        if base.__module__.startswith("djupyter."):
            yield from (f"djupyter.query.expression.Query.{inner}" for inner in _own_methods(base))


def _defined_in(module: Any) -> list[str]:
    if listed := getattr(module, "__all__", None):
        return list(listed)
    return [
        name
        for name, it in vars(module).items()
        if inspect.isclass(it) and it.__module__ == module.__name__
    ]


def _own_methods(owner: type) -> list[str]:
    return [
        name
        for name, it in vars(owner).items()
        if not name.startswith("_") and inspect.getdoc(it) and _is_method(it)
    ]


def _is_method(thing: object) -> bool:
    return inspect.isfunction(thing) or isinstance(thing, (property, classmethod, staticmethod))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_role("name", mention)
    app.connect("missing-reference", lead)
    app.connect("doctree-read", without_python)
    app.connect("env-check-consistency", check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
