"""Files of each kind that has a preview, small and whole."""

from __future__ import annotations

import io
import json
from functools import cache

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def npy(array: np.ndarray, **options: bool) -> bytes:
    target = io.BytesIO()
    np.save(target, array, **options)
    return target.getvalue()


def picture(kind: str, mode: str = "RGB", size: tuple[int, int] = (90, 70)) -> bytes:
    target = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(target, kind)
    return target.getvalue()


def parquet(**columns: object) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


def hdf5() -> bytes:
    target = io.BytesIO()
    with h5py.File(target, "w") as file:
        file.attrs["who"] = "me"
        data = file.create_dataset("rec/x", data=np.zeros((100, 50)), chunks=(10, 50))
        data.attrs["unit"] = "mV"
        file["rec/again"] = file["/"]
        file["rec/soft"] = h5py.SoftLink("/rec/x")
        file["rec/outside"] = h5py.ExternalLink("/etc/passwd", "/x")
        file["name"] = "text"
    return target.getvalue()


@cache
def files() -> dict[str, bytes]:
    """Return the contents of a file of each kind, by its name."""
    rng = np.random.default_rng(0)
    return {
        "a.npy": npy(rng.normal(size=(5, 20, 30))),
        "f.npy": npy(np.asfortranarray(rng.integers(0, 9, (4, 20, 30)))),
        "s.npy": npy(np.zeros(3, dtype=[("x", "f4"), ("name", "U3")])),
        "a.png": picture("PNG"),
        "a.jpg": picture("JPEG"),
        "a.gif": picture("GIF", "L"),
        "a.webp": picture("WEBP"),
        "a.bmp": picture("BMP"),
        "a.tif": picture("TIFF", "I;16"),
        "a.wav": b"RIFF" + bytes(100),
        "a.mp4": bytes(100),
        "a.txt": "Zeilen\nmit Ümlauten\n".encode() * 30,
        "a.json": json.dumps({"a": [1, {"b": None}] * 30}).encode(),
        "a.csv": b"x,y\n" + b"1,2\n" * 40,
        "a.tsv": b"x\ty\n" + b"1\t2\n" * 4,
        "a.html": b"<script>alert(1)</script>",
        "a.parquet": parquet(
            x=[1, 2, None] * 20, s=["a", "b", None] * 20, l=[[1], [], [2, 3]] * 20
        ),
        "a.bin": b"123",
    }
