"""The card of a picture in a file: decoded in memory that its header claims no more than, drawn anew as a PNG.

Nothing but the decoders named here is asked: of the others one runs programs (EPS).
"""

from __future__ import annotations

import io
import warnings
from typing import IO, Any, cast

import numpy as np

from djupyter.codecs.array_card import array_card
from djupyter.codecs.bounded_file import BoundedFile
from djupyter.render.markup import tag
from djupyter.render.object_card import Facts, ObjectCard, bytes_text
from djupyter.render.pictures import data_url

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
_THUMBNAIL = (320, 320)
# Bytes of the decoded pixels: a picture of a large camera has 150 MB.
_DECODED = 200_000_000


def image_card(file: BoundedFile, facts: Facts, budget: int) -> ObjectCard:
    """Return the card of a picture in an open file."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large pictures and damaged tags, which the card shows
        with Image.open(cast(IO[bytes], file), formats=_FORMATS) as image:
            return _card(image, file.size, facts, budget)


def _card(image: Any, size: int, facts: Facts, budget: int) -> ObjectCard:
    pixels = f"{image.width:,} × {image.height:,}"
    known = (*facts, ("pixels", pixels), ("mode", image.mode), ("format", str(image.format)))
    frames = int(getattr(image, "n_frames", 1)) if image.format in ("GIF", "WEBP") else 1
    if size > budget:
        return ObjectCard("picture", known, note=f"Not shown: it has {bytes_text(size)}.")
    image.draft("RGB", _THUMBNAIL)  # JPEG is decoded at a fraction of its size
    decoded = image.width * image.height * max(4, len(image.getbands()))
    if decoded > _DECODED:
        note = f"Not shown: its {pixels} pixels need {bytes_text(decoded)} of memory."
        return ObjectCard("picture", known, note=note)
    if image.mode.startswith(("I", "F")):
        # More than 256 shades: as an array.
        array = np.asarray(image)
        return array_card("picture", array.shape, array.dtype, array.__getitem__, facts=facts)
    image.thumbnail(_THUMBNAIL)
    has_alpha = "A" in image.mode or image.mode == "P"
    target = io.BytesIO()
    image.convert("RGBA" if has_alpha else "RGB").save(target, "PNG")
    source = data_url(target.getvalue(), "image/png")
    return ObjectCard(
        "picture",
        known,
        tag("img", src=source, alt="picture", class_="dj-photo"),
        note="The first of several pictures." if frames > 1 else "",
    )
