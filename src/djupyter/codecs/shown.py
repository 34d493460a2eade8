"""What references to objects show of themselves; what is wrong stands on the card, nothing is raised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from djupyter.codecs.bounded_file import BoundedFile
from djupyter.codecs.deadline import Deadline
from djupyter.codecs.file_card import file_card
from djupyter.codecs.folder_tree import folder_tree
from djupyter.codecs.guarded import guarded
from djupyter.codecs.npy_card import npy_card
from djupyter.codecs.parquet_card import parquet_card
from djupyter.codecs.zarr_card import zarr_array_card, zarr_group_card
from djupyter.frontend import frontend, in_notebook
from djupyter.render.object_card import Facts, ObjectCard, bytes_text, object_html, object_text

if TYPE_CHECKING:
    from djupyter.codecs.npy_ref import NpyRef
    from djupyter.codecs.object_ref import ObjectRef
    from djupyter.codecs.parquet_ref import ParquetRef

# One of them lies in each folder of Zarr.
_ZARR = ("zarr.json", ".zarray", ".zgroup")


def bundle(card: ObjectCard, value: Any = None) -> dict[str, Any]:
    """Return a card as Jupyter takes it: markup and text; in a notebook what has several axes gets sliders.

    Parameters
    ----------
    card
        What the value shows of itself.
    value
        It, where it may be an array of several axes.
    """
    mark = ""
    if value is not None and not card.failed and in_notebook():
        mark = frontend("sliders")(value)
    return {"text/html": object_html(card, mark), "text/plain": object_text(card)}


def object_ref_card(ref: ObjectRef, budget: int, deadline: Deadline | None = None) -> ObjectCard:
    """Return the card of a file or folder."""
    kind = "folder" if ref.is_dir else "file"
    facts = _facts(ref)
    return guarded(
        lambda until: (
            _folder(ref, facts, budget, until) if ref.is_dir else _file(ref, facts, budget, until)
        ),
        kind,
        facts,
        deadline,
    )


def npy_ref_card(ref: NpyRef, budget: int, deadline: Deadline | None = None) -> ObjectCard:
    """Return the card of an array."""
    place = (("path", ref.path), ("store", ref.store or "default"))

    def made(until: Deadline) -> ObjectCard:
        file = BoundedFile.of(ref.need_store(), ref.path, budget, until)
        return npy_card("npy array", file, place, budget)

    return guarded(made, "npy array", (*_shape(ref), *place), deadline)


def parquet_ref_card(ref: ParquetRef, budget: int, deadline: Deadline | None = None) -> ObjectCard:
    """Return the card of a frame."""
    size = () if ref.size is None else (("size", bytes_text(ref.size)),)
    place = (("path", ref.path), ("store", ref.store or "default"), *size)

    def made(until: Deadline) -> ObjectCard:
        file = BoundedFile.of(ref.need_store(), ref.path, budget, until)
        return parquet_card(file, place, budget)

    return guarded(made, "frame", place, deadline)


def open_zarr(ref: ObjectRef, budget: int) -> Any:
    """Return the Zarr array or group that a folder is; None when it is none.

    Raises
    ------
    DataJointError
        It is damaged.
    """
    if not ref.is_dir:
        return None
    store = ref.need_backend()
    if not any(store.info(f"{ref.path}/{name}") for name in _ZARR):
        return None
    # They import zarr, which few programs need.
    from djupyter.codecs.zarr_files import ZarrFiles, opened
    from djupyter.codecs.zarr_preview import in_daemon

    files = ZarrFiles(store, ref.path, read_only=True, preview_bytes=budget, in_thread=in_daemon)
    return opened(files)


def _shape(ref: NpyRef) -> Facts:
    try:
        return (("shape", str(ref.shape)),)
    except (TypeError, ValueError):  # the document of the row may be damaged
        return ()


def _facts(ref: ObjectRef) -> Facts:
    facts = [("path", ref.path), ("store", ref.store or "default")]
    if ref.size is not None:
        facts.append(("size", bytes_text(ref.size)))
    if ref.item_count is not None:
        facts.append(("files", f"{ref.item_count:,}"))
    if ref.timestamp is not None:
        facts.append(("written", f"{ref.timestamp:%Y-%m-%d %H:%M:%S}"))
    return tuple(facts)


def _file(ref: ObjectRef, facts: Facts, budget: int, until: Deadline) -> ObjectCard:
    file = BoundedFile.of(ref.need_backend(), ref.path, budget, until)
    return file_card(ref.path, file.size, lambda: file, facts, budget)


def _folder(ref: ObjectRef, facts: Facts, budget: int, until: Deadline) -> ObjectCard:
    found = open_zarr(ref, budget)
    if found is not None:
        make = zarr_array_card if hasattr(found, "shape") else zarr_group_card
        return make(found, deadline=until)
    if not ref.exists():
        return ObjectCard("folder", facts, note="Cannot be shown: it is missing.", failed=True)
    return ObjectCard("folder", facts, tree=(folder_tree(ref.need_backend(), ref.path, until),))
