"""`<npy@>` and `<zarr@>` in a folder, beside files without a library: `numpy.save`, and zarr as its documentation says.

Files are in the caches of the system. Floats are random: zarr compresses them, which `numpy.save` does not, in vain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.places import Place
from benchmarks.stores import definitions, shelves
from benchmarks.tables import Sizes
from benchmarks.timing import Act, Aims, Contender, Contest, Workload
from benchmarks.workloads.objects import NOT_THERE, rows_of

Array = np.ndarray[Any, np.dtype[Any]]
Save = Callable[[Path, Array], object]
Load = Callable[[Path], Array]

_AIMS = Aims(driver=1.15)
_LARGER = 10  # times the arrays of blobs


def _save_zarr(path: Path, array: Array) -> None:
    import zarr

    zarr.create_array(path, data=array)


def _load_zarr(path: Path) -> Any:
    import zarr

    return zarr.open_array(path, mode="r")[:]


_NPY: tuple[Save, Load] = (lambda path, array: np.save(path, array), lambda path: np.load(path))
_ZARR: tuple[Save, Load] = (_save_zarr, _load_zarr)


@contextmanager
def _writing(codec: str, plain: tuple[Save, Load], place: Place, sizes: Sizes) -> Iterator[Contest]:
    rows = rows_of(sizes.files, _LARGER * sizes.floats)
    # The bare contender has no rows; but its table gives it a folder.
    with shelves(place, definitions(place, codec, "varchar(255)", _unable(codec, place))) as found:
        acts: dict[Contender, Act] = {
            "driver": partial(_write, plain[0], found.folders["driver"], rows)
        }
        for contender in found.libraries:
            acts[contender] = partial(found.tables[contender]().insert, rows)
        yield Contest(acts, found.clear)


@contextmanager
def _reading(codec: str, plain: tuple[Save, Load], place: Place, sizes: Sizes) -> Iterator[Contest]:
    rows = rows_of(sizes.files, _LARGER * sizes.floats)
    save, load = plain
    with shelves(place, definitions(place, codec, "varchar(255)", _unable(codec, place))) as found:
        folder = found.folders["driver"]
        _write(save, folder, rows)
        files = sorted(folder.iterdir())
        acts: dict[Contender, Act] = {"driver": lambda: [load(file) for file in files]}
        for contender in found.libraries:
            table = found.tables[contender]()
            table.insert(rows)
            acts[contender] = partial(_read, table)
        yield Contest(acts)


def _write(save: Save, folder: Path, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        save(folder / f"{row['n']}.npy", row["trace"])


def _read(table: Any) -> list[Any]:
    return [found[:] for found in table.to_arrays("trace")]


def _unable(codec: str, place: Place) -> tuple[str, ...]:
    """Return where datajoint cannot take part: it has no Zarr."""
    return (place.name,) if codec == "<zarr@raw>" else NOT_THERE


def _workloads() -> Iterator[Workload]:
    for codec, plain, beside in (
        ("<npy@raw>", _NPY, "numpy"),
        ("<zarr@raw>", _ZARR, "zarr"),
        ("<zarr@raw>", _NPY, "numpy"),
    ):
        name = f"{codec.replace('raw', '')}, beside {beside}"
        alone = ("mariadb", "mysql", "postgresql") if "zarr" in codec else NOT_THERE
        for verb, prepare in (("write", _writing), ("read", _reading)):
            yield Workload(
                f"{verb} 20 x 8 MB {name}",
                partial(prepare, codec, plain),
                _AIMS,
                alone=alone,
            )


WORKLOADS = tuple(_workloads())
