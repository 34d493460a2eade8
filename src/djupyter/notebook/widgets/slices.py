"""Sliders of arrays of several axes: which plane is shown, and along which axes.

The card of an array is HTML that lies in the notebook; it has the middle plane and a place for the sliders. The widget
is in no output: it puts its sliders into that place for as long as the page and the kernel live. A saved notebook,
nbconvert and others show the card, where they would show an error in place of a widget whose kernel is gone.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from hashlib import md5
from importlib.resources import files
from typing import Any, ClassVar
from uuid import uuid4

import anywidget
import numpy as np
import traitlets

from djupyter.codecs.deadline import Deadline
from djupyter.codecs.npy_ref import NpyRef
from djupyter.codecs.object_ref import ObjectRef
from djupyter.codecs.slices import Plane, Slices, slices_of
from djupyter.notebook.widgets.newest import Newest

_FOLDER = files("djupyter.notebook.widgets")
# Of older outputs the sliders go away; what they show stays.
_MOST = 50


class SlicesWidget(anywidget.AnyWidget):
    """What the browser knows of an array; it asks for planes."""

    _esm: ClassVar = (_FOLDER / "slices.js").read_text("utf-8")
    _css: ClassVar = (_FOLDER / "slices.css").read_text("utf-8")
    mark = traitlets.Unicode().tag(sync=True)
    shape: Any = traitlets.List().tag(sync=True)
    axes: Any = traitlets.List().tag(sync=True)
    position: Any = traitlets.List().tag(sync=True)
    colours = traitlets.Int(-1).tag(sync=True)


class Sliders:
    """Answers what the sliders of one array ask for.

    Parameters
    ----------
    slices
        The array.
    mark
        Names the place of the sliders in the card.
    """

    def __init__(self, slices: Slices, mark: str) -> None:
        self._slices, start = slices, slices.start
        self.widget = SlicesWidget(
            mark=mark,
            shape=list(slices.shape),
            axes=list(start.axes),
            position=list(start.position),
            colours=-1 if slices.colours is None else slices.colours,
        )
        self._newest: Newest[dict[str, Any], Plane] = Newest(self._read, self._answer)
        # Callbacks run in a thread of the kernel: they only put down what is wanted.
        self.widget.on_msg(self._hear)

    def _hear(self, _: object, content: dict[str, Any], __: object) -> None:
        if isinstance(content, dict):
            self._newest.ask(content)

    def _read(self, request: dict[str, Any], deadline: Deadline) -> Plane:
        view = self._slices.checked(request.get("axes", ()), request.get("position", ()))
        return self._slices.plane(view, deadline)

    def _answer(self, request: dict[str, Any], found: Plane | Exception) -> None:
        answer = {"page": request.get("page"), "number": request.get("number")}
        if isinstance(found, Exception):
            reason = (str(found).strip() or type(found).__name__)[:500]
            self.widget.send(answer | {"failed": f"Cannot be shown: {reason}"})
            return
        answer |= {"text": found.text, "values": found.values, "note": found.note}
        self.widget.send(answer, buffers=[found.png])


class Live:
    """The sliders that are there, so that showing an object again does not make more of them."""

    def __init__(self) -> None:
        self._sliders: OrderedDict[str, Sliders] = OrderedDict()

    def mark(self, value: Any) -> str:
        """Return the mark of the place for the sliders of a value; nothing for one that has none."""
        deadline = Deadline()
        with suppress(Exception):  # the card says what is wrong with the object
            slices = deadline.run(lambda: slices_of(value, deadline))
            if slices is not None:
                return self._marked(value, slices)
        return ""

    def _marked(self, value: Any, slices: Slices) -> str:
        mark = _mark(value)
        if mark in self._sliders:
            self._sliders.move_to_end(mark)
            return mark
        self._sliders[mark] = Sliders(slices, mark)
        if len(self._sliders) > _MOST:
            self._sliders.popitem(last=False)[1].widget.close()
        return mark


def _mark(value: Any) -> str:
    """Return a name for a value: the same again for an object of a store, which never changes."""
    if isinstance(value, np.ndarray):
        return uuid4().hex
    if isinstance(value, NpyRef):
        place = value.need_store().url(value.path)
    elif isinstance(value, ObjectRef):
        place = value.need_backend().url(value.path)
    else:
        place = f"{value.store} {value.path} {value.shape} {value.dtype}"
    return md5(f"{type(value).__name__} {place}".encode(), usedforsecurity=False).hexdigest()


live = Live()
"""Of this kernel."""
