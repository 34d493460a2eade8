"""The command line: what is done to objects at night, without a notebook.

```
djupyter gc scan lab_ephys                    djupyter verify lab_ephys --hashes
djupyter gc collect lab_ephys --yes           djupyter copy lab_ephys raw cold --rewrite
```

The exit status is 0 when all is well, 1 when something is not, 2 when the command cannot be understood.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from djupyter.errors import DataJointError

if TYPE_CHECKING:
    from djupyter.table.schema import Schema


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command and return its exit status.

    Parameters
    ----------
    arguments
        What follows the name of the program; that of this process when None.
    """
    asked = _parser().parse_args(arguments)
    try:
        result, is_well = asked.work(asked)
    except DataJointError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    print(json.dumps(result.to_dict(), indent=2, default=str) if asked.json else result)
    return 0 if is_well else 1


def _scan(asked: argparse.Namespace) -> tuple[Any, bool]:
    from djupyter.table.collect import scan

    report = scan(*_schemas(asked), **_options(asked))
    return report, report.is_complete


def _collect(asked: argparse.Namespace) -> tuple[Any, bool]:
    from djupyter.table.collect import collect

    report = collect(*_schemas(asked), dry_run=not asked.yes, **_options(asked))
    if not asked.yes and not asked.json:
        print("Nothing is removed without --yes.", file=sys.stderr)
    return report, report.is_complete and not report.failures


def _verify(asked: argparse.Namespace) -> tuple[Any, bool]:
    (schema,) = _schemas(asked)
    result = schema.verify(hashes=asked.hashes, progress=_shows(asked))
    return result, result.is_valid


def _copy(asked: argparse.Namespace) -> tuple[Any, bool]:
    (schema,) = _schemas(asked)
    result = schema.copy_objects(
        asked.source,
        asked.target,
        rewrite=asked.rewrite,
        hashes=asked.hashes,
        progress=_shows(asked),
    )
    return result, bool(result)


def _schemas(asked: argparse.Namespace) -> list[Schema]:
    from djupyter.session import default
    from djupyter.table.schema import Schema

    connection = default.connect(asked.url) if asked.url else default.connection
    names = [asked.schema] if isinstance(asked.schema, str) else asked.schema
    return [Schema(name, connection=connection, create_schema=False) for name in names]


def _options(asked: argparse.Namespace) -> dict[str, Any]:
    return {
        "store": asked.store,
        "grace_period": asked.grace_period,
        "progress": _shows(asked),
    }


def _shows(asked: argparse.Namespace) -> bool:
    return not asked.json and sys.stderr.isatty()


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--url", help="of the database; otherwise that of the settings")
    common.add_argument("--json", action="store_true", help="print the whole result as JSON")
    parser = argparse.ArgumentParser(
        prog="djupyter", description="Objects of a pipeline in stores."
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_gc(commands, common)
    verify = commands.add_parser(
        "verify", parents=[common], help="are the objects of all rows there, as they were written?"
    )
    verify.add_argument("schema")
    verify.add_argument("--hashes", action="store_true", help="read and compare contents too")
    verify.set_defaults(work=_verify)
    copy = commands.add_parser(
        "copy", parents=[common], help="copy the objects of a schema from one store to another"
    )
    for name in ("schema", "source", "target"):
        copy.add_argument(name)
    copy.add_argument("--rewrite", action="store_true", help="let the rows refer to the copies")
    copy.add_argument("--hashes", action="store_true", help="compare contents too, not only sizes")
    copy.set_defaults(work=_copy)
    return parser


def _add_gc(commands: Any, common: argparse.ArgumentParser) -> None:
    gc = commands.add_parser("gc", help="objects that no row refers to")
    steps = gc.add_subparsers(required=True, metavar="step")
    several = argparse.ArgumentParser(add_help=False, parents=[common])
    several.add_argument("schema", nargs="+", help="names of schemas of one database")
    several.add_argument(
        "--store", action="append", help="only this one; may be repeated; otherwise all configured"
    )
    several.add_argument(
        "--grace-period", type=float, metavar="SECONDS", help="younger objects are left alone"
    )
    scan = steps.add_parser("scan", parents=[several], help="how much is there?")
    scan.set_defaults(work=_scan)
    collect = steps.add_parser("collect", parents=[several], help="remove it")
    collect.add_argument("--yes", action="store_true", help="without it, nothing is removed")
    collect.set_defaults(work=_collect)


if __name__ == "__main__":
    sys.exit(main())
