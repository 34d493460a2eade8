"""The card of a file by what its name ends with: pictures, sound, films, texts, tables, arrays; bounded reads only."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from djupyter.codecs.array_card import BUDGET
from djupyter.codecs.bounded_file import BoundedFile
from djupyter.codecs.hdf5_card import hdf5_card, is_hdf5
from djupyter.codecs.image_card import image_card
from djupyter.codecs.npy_card import npy_card
from djupyter.codecs.parquet_card import parquet_card
from djupyter.codecs.text_card import separated_card, text_card
from djupyter.render.markup import tag
from djupyter.render.object_card import Facts, ObjectCard, bytes_text
from djupyter.render.pictures import data_url

Open = Callable[[], IO[bytes] | BoundedFile]

# A browser plays these from a URL that holds all of it; larger ones are left to a player.
_MEDIA_BYTES = 4_000_000

_PLAYED = {
    "wav": ("audio", "audio/wav"),
    "mp3": ("audio", "audio/mpeg"),
    "m4a": ("audio", "audio/mp4"),
    "ogg": ("audio", "audio/ogg"),
    "oga": ("audio", "audio/ogg"),
    "opus": ("audio", "audio/ogg"),
    "flac": ("audio", "audio/flac"),
    "mp4": ("video", "video/mp4"),
    "m4v": ("video", "video/mp4"),
    "webm": ("video", "video/webm"),
    "ogv": ("video", "video/ogg"),
}
_PICTURES = {"png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff"}
_TABLES = {"csv": ",", "tsv": "\t"}
_JSON = {"json", "geojson", "ipynb"}
# Markup is a text like others: shown, never rendered.
_TEXTS = {
    *("txt", "md", "rst", "log", "py", "m", "r", "jl", "sh", "sql", "tex", "bib"),
    *("yaml", "yml", "toml", "ini", "cfg", "xml", "html", "htm", "svg", "css", "js", "jsonl"),
}
# Other formats have these endings too: what the file begins with decides.
_PERHAPS_HDF5 = {"h5", "hdf5", "hdf", "he5", "nwb", "nc", "mat"}


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
    >>> import io
    >>> card = file_card("a.txt", 2, lambda: io.BytesIO(b"hi"), ())
    >>> card.title, str(card.picture)
    ('text', '<pre>hi</pre>')
    """
    ending = name.rpartition(".")[2].lower()
    if ending in _PLAYED and size > min(budget, _MEDIA_BYTES):
        title = _title(ending)
        return ObjectCard(title, facts, note=f"Not played here: it has {bytes_text(size)}.")
    if not _is_known(ending):
        return ObjectCard("file", facts, note="" if size else "It is empty.")
    with open_file() as opened:
        return _shown(ending, BoundedFile.over(opened, size, budget), facts, budget)


def _is_known(ending: str) -> bool:
    kinds = (_PICTURES, _PLAYED, _TABLES, _JSON, _TEXTS, _PERHAPS_HDF5, {"npy", "parquet"})
    return any(ending in kind for kind in kinds)


def _shown(ending: str, file: BoundedFile, facts: Facts, budget: int) -> ObjectCard:
    if ending == "npy":
        # An array has a size of its own.
        stored = tuple(("stored" if name == "size" else name, value) for name, value in facts)
        return npy_card("npy array", file, stored, budget)
    if ending in _PICTURES:
        return image_card(file, facts, budget)
    if ending in _PLAYED:
        return _played(ending, file, facts)
    if ending in _TABLES:
        return separated_card(file, _TABLES[ending], facts)
    if ending == "parquet":
        return parquet_card(file, facts, budget)
    if ending in _PERHAPS_HDF5:
        if not is_hdf5(file):
            # A file of another format is shown as any other; one that is called so is damaged.
            is_wrong = ending in {"h5", "hdf5", "nwb"}
            note = "Cannot be shown: this is no HDF5 file." if is_wrong else ""
            return ObjectCard("file", facts, note=note, failed=is_wrong)
        return hdf5_card(file, facts)
    return text_card(file, facts, is_json=ending in _JSON)


def _title(ending: str) -> str:
    return {"audio": "sound", "video": "film"}[_PLAYED[ending][0]]


def _played(ending: str, file: BoundedFile, facts: Facts) -> ObjectCard:
    element, kind = _PLAYED[ending]
    source = data_url(file.read(), kind)
    player = tag(element, src=source, controls="controls", preload="metadata")
    return ObjectCard(_title(ending), facts, player)
