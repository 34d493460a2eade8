"""Tables with objects, the same for both libraries, each with a store of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import raw
from benchmarks.places import LIBRARIES, Library, Place
from benchmarks.timing import Contender

Entry = dict[str, Any]


@dataclass(frozen=True)
class Shelves:
    """A table of each contender, the bare driver's declared by djupyter.

    Parameters
    ----------
    tables
        Classes, by contender.
    folders
        Where the objects of each lie, and files that have nothing to do with a library may.
    libraries
        Connected, by contender; the driver has none.
    driver
        The bare driver.
    """

    tables: dict[Contender, Any]
    folders: dict[Contender, Path]
    libraries: dict[Contender, Library]
    driver: raw.Driver

    def clear(self) -> None:
        """Remove all rows and all files."""
        for contender, table in self.tables.items():
            table().delete_quick()
            for item in self.folders[contender].iterdir():
                shutil.rmtree(item) if item.is_dir() else item.unlink()

    def work_with(self, workers: int) -> None:
        """Let djupyter do so much at a time."""
        self.libraries["djupyter"].connection.settings["objects.workers"] = workers


def configure(library: Library, entry: Entry) -> None:
    """Give a library the store `raw`."""
    is_ours = library.dj.__name__ == "djupyter"
    config = library.connection.settings if is_ours else library.schema.__self__.config
    config["stores"] = {"default": "raw", "raw": entry}


def folder_entry(folder: Path) -> Entry:
    """Return the entry of a store in a folder."""
    return {"protocol": "file", "location": str(folder)}


def definitions(
    place: Place, ours: str, bare: str, alone: Collection[str] = ()
) -> dict[Contender, str]:
    """Return what each contender declares: a key, and values of a type.

    Parameters
    ----------
    place
        Where.
    ours, bare
        The type for the libraries, and that for the bare driver.
    alone
        Names of places where datajoint cannot take part.
    """
    head = "n : int32\n---\ntrace : "
    found: dict[Contender, str] = {"djupyter": head + ours, "driver": head + bare}
    if place.has_datajoint and place.name not in alone:
        found["datajoint"] = head + ours
    return found


@contextmanager
def shelves(
    place: Place,
    declared: Mapping[Contender, str],
    entry: Callable[[Path], Entry] = folder_entry,
) -> Iterator[Shelves]:
    """Yield the table `recording` of each contender that has a definition, dropped at the end."""
    with ExitStack() as stack:
        made = Shelves({}, {}, {}, raw.connect(place))
        for contender, definition in declared.items():
            library = LIBRARIES["datajoint" if contender == "datajoint" else "djupyter"](place)
            stack.callback(library.close)
            folder = Path(stack.enter_context(TemporaryDirectory()))
            configure(library, entry(folder))
            schema = library.schema(place.schema(f"bench_{contender}"))
            stack.callback(schema.drop, prompt=False)
            cls = type("Recording", (library.dj.Manual,), {"definition": definition})
            made.tables[contender] = schema(cls)
            made.folders[contender] = folder
            if contender != "driver":
                made.libraries[contender] = library
        stack.callback(made.driver.close)
        yield made
