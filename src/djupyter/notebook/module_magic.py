"""`%dj_module`: what was tried out in a notebook becomes a module that programs and workers import."""

from __future__ import annotations

import tomllib
from pathlib import Path

from IPython.core.magic import line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from djupyter.errors import DataJointError
from djupyter.notebook.module.writing import Notebook, module_of
from djupyter.notebook.place import PlacedMagics
from djupyter.table.module import write_module


@magics_class
class ModuleMagics(PlacedMagics):
    """From a notebook to a module."""

    @magic_arguments()
    @argument("schema", help="name of the schema")
    @argument(
        "path",
        nargs="?",
        help="a file; left out, src/PACKAGE/SCHEMA.py of the project around the notebook, or SCHEMA.py beside it",
    )
    @argument("--overwrite", action="store_true", help="replace a file that says something else")
    @line_magic
    def dj_module(self, line: str) -> None:
        """Write the tables of a schema that this notebook declares as a Python module.

        It has the definitions word for word, the contents of lookups, each `make`, and the imports, functions and
        constants of the notebook that they use, in an order in which it can be imported. Code that was added to the
        file by hand is not lost: a file that says something else is replaced only with --overwrite.
        """
        __tracebackhide__ = True  # IPython then shows the user's frames only
        arguments = parse_argstring(self.dj_module, line)
        path = (
            Path(arguments.path) if arguments.path else default_path(arguments.schema, Path.cwd())
        )
        notebook = Notebook(self._names, self.place.ran, self.place.cells)
        module = module_of(arguments.schema, notebook, lambda other: _sibling(path, other))
        before = path.read_text(encoding="utf-8") if path.is_file() else None
        if before == module.text:
            told = "is unchanged"
        else:
            _make_folder(path.parent)
            write_module(path, module.text, overwrite=arguments.overwrite, advice=_ADVICE)
            told = f"declares {', '.join(module.tables)}"
        print("\n".join([f"{path} {told}.", *module.notes]))


_ADVICE = "Name another file, or add --overwrite."


def default_path(schema: str, folder: Path) -> Path:
    """Return where the module of a schema belongs in the project around a folder.

    Parameters
    ----------
    schema
        Its name.
    folder
        Where the notebook is.

    Raises
    ------
    DataJointError
        The project has several packages, or none.
    """
    root = next(
        (each for each in (folder, *folder.parents) if (each / "pyproject.toml").is_file()), None
    )
    if root is None:
        return Path(f"{schema}.py")
    packages = sorted(each.parent for each in (root / "src").glob("*/__init__.py"))
    if len(packages) > 1:
        names = ", ".join(each.name for each in packages)
        raise DataJointError(
            f"The project {root.name} has several packages: {names}. Name the file: "
            f"`%dj_module {schema} src/PACKAGE/{schema}.py`."
        )
    package = packages[0] if packages else root / "src" / _package_name(root)
    return _shortest(package / f"{schema}.py", folder)


def _package_name(root: Path) -> str:
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
        name = str(project["project"]["name"])
    except (OSError, ValueError, KeyError, TypeError):
        name = root.name
    return "".join(char if char.isalnum() else "_" for char in name.lower())


def _shortest(path: Path, folder: Path) -> Path:
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(parents=True)
    if folder.parent.name == "src":
        (folder / "__init__.py").write_text("", encoding="utf-8")


def _sibling(path: Path, schema: str) -> str | None:
    """Return how the module of another schema beside a file is imported, if it is there."""
    if not (path.parent / f"{schema}.py").is_file():
        return None
    return f".{schema}" if (path.parent / "__init__.py").is_file() else schema
