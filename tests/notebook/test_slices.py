"""Sliders of arrays, as the kernel answers them, and what a cell shows of objects."""

from __future__ import annotations

import re
import threading
from queue import SimpleQueue

import numpy as np
import pytest
import zarr

from djupyter.codecs.slices import Slices
from djupyter.notebook.widgets.newest import Newest
from djupyter.notebook.widgets.slices import Live, Sliders

# The newest of what is asked for


def test_only_the_newest_is_answered_while_another_is_in_work():
    begun, go, answers = threading.Event(), threading.Event(), SimpleQueue()

    def work(request, deadline):
        if request == 0:
            begun.set()
            go.wait()
        return request * 10

    newest = Newest(work, lambda request, answer: answers.put((request, answer)))
    newest.ask(0)
    begun.wait()
    for request in range(1, 50):
        newest.ask(request)
    assert answers.get() == (49, 490)
    go.set()
    newest.ask(50)
    assert answers.get() == (50, 500)
    assert answers.empty()


def test_an_error_is_an_answer():
    answers = SimpleQueue()
    newest = Newest(lambda request, deadline: 1 / request, lambda *each: answers.put(each))
    newest.ask(0)
    _, answer = answers.get()
    assert isinstance(answer, ZeroDivisionError)
    newest.ask(2)
    assert answers.get() == (2, 0.5)


def test_work_that_hangs_is_answered_in_time_and_does_not_pile_up():
    forever, started, answers = threading.Event(), SimpleQueue(), SimpleQueue()

    def work(request, deadline):
        started.put(request)
        forever.wait()

    newest = Newest(work, lambda request, answer: answers.put(str(answer)), seconds=0.01)
    told = []
    for request in range(8):
        newest.ask(request)
        told.append(answers.get())
    assert told[0] == "it took more than 0.01 seconds"
    assert told[-1] == "the store has not answered what was asked before"
    assert started.qsize() == 4
    forever.set()


# The widget


@pytest.fixture
def sliders():
    found = Sliders(Slices.of_array(CUBE), "mark")
    found.sent = SimpleQueue()
    found.widget.send = lambda content, buffers=(): found.sent.put((content, buffers))
    yield found
    found.widget.close()


CUBE = np.arange(3 * 40 * 50).reshape(3, 40, 50)


def ask(sliders: Sliders, **request: object):
    sliders._hear(sliders.widget, request, [])
    return sliders.sent.get()


def test_a_request_is_answered_with_a_picture(sliders):
    content, (png,) = ask(sliders, page="a", number=1, axes=[1, 2], position=[2, 0, 0])
    assert content == {
        "page": "a",
        "number": 1,
        "text": "[2, 0:40, 0:50]",
        "values": "4000 … 5999, mean 4999.5",
        "note": "",
    }
    assert png.startswith(b"\x89PNG")
    other = ask(sliders, page="a", number=2, axes=[1, 2], position=[0, 0, 0])
    assert other[0]["values"].startswith("0 …")


@pytest.mark.parametrize(
    "request_",
    [{}, {"axes": "x", "position": 3}, {"axes": [0, 9], "position": [0, 0, 0]}, {"axes": None}],
)
def test_a_request_that_makes_no_sense_is_told_so(sliders, request_):
    content, buffers = ask(sliders, number=1, **request_)
    assert content["failed"].startswith("Cannot be shown: ")
    assert not buffers


def test_showing_an_object_again_makes_no_more_sliders():
    live = Live()
    array = zarr.create_array({}, shape=(3, 40, 50), chunks=(1, 40, 50), dtype="u1")
    assert live.mark(array) == live.mark(array) != ""
    assert live.mark(CUBE) != live.mark(CUBE)
    assert live.mark(np.zeros((3, 4))) == live.mark("text") == ""


# In a cell


def bundle(notebook, source: str) -> dict[str, str]:
    notebook.run("import numpy as np, zarr")
    return notebook.run(f"display({source})").displayed[-1].data


ZARR = "zarr.array(np.arange(6000).reshape(3, 40, 50), chunks=(1, 40, 50))"


def test_an_array_of_zarr_shows_itself_as_markup_and_text(notebook):
    shown = bundle(notebook, ZARR)
    assert set(shown) == {"text/html", "text/plain"}
    assert 'class="dj-grid"' in shown["text/html"]
    assert "Shown: [1, 0:40, 0:50]" in shown["text/plain"]


def test_an_array_in_memory_keeps_the_text_that_people_know(notebook):
    shown = bundle(notebook, "np.arange(6000).reshape(3, 40, 50)")
    assert shown["text/plain"].startswith("array([[[")
    assert "<img" in shown["text/html"]
    assert set(bundle(notebook, "np.arange(3)")) == {"text/plain"}


def test_in_a_kernel_the_card_has_a_place_for_sliders(notebook, monkeypatch):
    monkeypatch.setattr("djupyter.codecs.shown.in_notebook", lambda: True)
    places = [re.findall(r'data-dj-slices="(\w+)"', bundle(notebook, ZARR)["text/html"])]
    places += [re.findall("data-dj-slices", bundle(notebook, "np.zeros((40, 50))")["text/html"])]
    assert [len(each) for each in places] == [1, 0]
