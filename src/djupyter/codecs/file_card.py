"""The card of a file by what its name ends with: pictures, sound, films, texts, tables, arrays; bounded reads only."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from contextlib import suppress
from typing import IO

import numpy as np

from djupyter.codecs.array_card import BUDGET, array_card
from djupyter.codecs.npy_part import NpyPart
from djupyter.codecs.parquet_card import parquet_card
from djupyter.render.markup import lines, tag
from djupyter.render.object_card import Facts, ObjectCard, bytes_text
from djupyter.render.pictures import data_url

Open = Callable[[], IO[bytes]]

# A browser plays these from a URL that holds all of it; larger ones are left to a player.
_MEDIA_BYTES = 4_000_000
_TEXT_BYTES = 4_000
_ROWS = 8
_THUMBNAIL = (320, 320)

_PLAYED = {
    **dict.fromkeys(("wav",), ("audio", "audio/wav")),
    "mp3": ("audio", "audio/mpeg"),
    "ogg": ("audio", "audio/ogg"),
    "flac": ("audio", "audio/flac"),
    "mp4": ("video", "video/mp4"),
    "webm": ("video", "video/webm"),
}
_PICTURES = {"png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff"}
_TABLES = {"csv": ",", "tsv": "\t"}
_TEXTS = {
    "txt",
    "md",
    "log",
    "py",
    "json",
    "yaml",
    "yml",
    "toml",
    "ini",
    "xml",
    "html",
    "svg",
    "m",
    "r",
}


def file_card(
    name: str, size: int, open_file: Open, facts: Facts, budget: int = BUDGET
) -> ObjectCard:
    """Return the card of a file.

    Parameters
    ----------
    name
        What it is called; the ending says what it is.
    size
        In bytes.
    open_file
        Opens it for reading, at any place.
    facts
        What is known of it.
    budget
        Bytes that may be read.

    Examples
    --------
    >>> card = file_card("a.txt", 2, lambda: io.BytesIO(b"hi"), ())
    >>> card.title, str(card.picture)
    ('text', '<pre>hi</pre>')
    """
    ending = name.rpartition(".")[2].lower()
    if ending == "npy":
        return npy_card("npy array", open_file, facts, budget)
    if ending in _PICTURES:
        return _picture(size, open_file, facts, budget)
    if ending in _PLAYED:
        return _played(ending, size, open_file, facts, budget)
    if ending in _TABLES:
        return _table(_TABLES[ending], size, open_file, facts)
    if ending in _TEXTS:
        return _text(ending, size, open_file, facts)
    if ending == "parquet":
        with open_file() as file:
            return parquet_card(file, facts, budget)
    return ObjectCard("file", facts)


def npy_card(title: str, open_file: Open, facts: Facts, budget: int) -> ObjectCard:
    """Return the card of an array in a .npy file."""
    with open_file() as file:
        part = NpyPart(file)
        return array_card(
            title,
            part.shape,
            part.dtype,
            part.read,
            facts=facts,
            chunks=part.chunks(budget),
            budget=budget,
        )


def _picture(size: int, open_file: Open, facts: Facts, budget: int) -> ObjectCard:
    if size > budget:
        return ObjectCard("picture", facts, note=f"Not shown: it has {bytes_text(size)}.")
    from PIL import Image

    with open_file() as file, Image.open(io.BytesIO(file.read(budget))) as image:
        known = (*facts, ("pixels", f"{image.width:,} × {image.height:,}"), ("mode", image.mode))
        if image.mode.startswith(("I", "F")):
            # More than 256 shades: as an array.
            pixels = np.asarray(image)
            return array_card(
                "picture", pixels.shape, pixels.dtype, pixels.__getitem__, facts=facts
            )
        image.thumbnail(_THUMBNAIL)
        target = io.BytesIO()
        image.convert("RGBA" if "A" in image.mode or image.mode == "P" else "RGB").save(
            target, "PNG"
        )
    source = data_url(target.getvalue(), "image/png")
    return ObjectCard("picture", known, tag("img", src=source, alt="picture", class_="dj-photo"))


def _played(ending: str, size: int, open_file: Open, facts: Facts, budget: int) -> ObjectCard:
    element, kind = _PLAYED[ending]
    title = {"audio": "sound", "video": "film"}[element]
    if size > min(budget, _MEDIA_BYTES):
        return ObjectCard(title, facts, note=f"Not played here: it has {bytes_text(size)}.")
    with open_file() as file:
        source = data_url(file.read(_MEDIA_BYTES), kind)
    return ObjectCard(
        title, facts, tag(element, src=source, controls="controls", preload="metadata")
    )


def _text(ending: str, size: int, open_file: Open, facts: Facts) -> ObjectCard:
    with open_file() as file:
        raw = file.read(_TEXT_BYTES)
    text = raw.decode("utf-8", errors="replace")
    if ending == "json" and size <= _TEXT_BYTES:
        with suppress(ValueError, RecursionError):
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return ObjectCard("text", facts, tag("pre", lines(text)), note=_first(len(raw), size))


def _table(separator: str, size: int, open_file: Open, facts: Facts) -> ObjectCard:
    with open_file() as file:
        raw = file.read(16 * _TEXT_BYTES)
    lines = raw.decode("utf-8-sig", errors="replace").splitlines()
    if len(raw) < size:
        lines = lines[:-1]  # cut in its middle
    rows = list(csv.reader(lines[: _ROWS + 1], delimiter=separator))
    if not rows:
        return ObjectCard("table", facts, note="It is empty.")
    head = tag("tr", *(tag("th", name, scope="col") for name in rows[0]))
    body = [tag("tr", *(tag("td", value) for value in row)) for row in rows[1:]]
    table = tag("table", tag("thead", head), tag("tbody", *body), class_="dj-table dj-rows")
    whole = len(raw) == size and len(lines) <= _ROWS + 1
    return ObjectCard(
        "table",
        (*facts, ("columns", str(len(rows[0])))),
        tag("div", table, class_="dj-scroll"),
        note="" if whole else f"The first {len(body)} rows.",
    )


def _first(read: int, size: int) -> str:
    return "" if read >= size else f"The first {bytes_text(read)} of {bytes_text(size)}."
