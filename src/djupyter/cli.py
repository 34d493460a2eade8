"""The command line: what is done at night, without a notebook.

```
djupyter worker my_pipeline.processing --loop --processes 4
djupyter gc scan lab_ephys                    djupyter verify lab_ephys --hashes
djupyter gc collect lab_ephys --yes           djupyter copy lab_ephys raw cold --rewrite
```

The exit status is 0 when all is well, 1 when something is not, 2 when the command cannot be understood; that of
`worker` stands in `populate.service`.
"""

from __future__ import annotations

import argparse
import json
import re
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
    if asked.command == "worker":
        return _serve(asked)
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


def _serve(asked: argparse.Namespace) -> int:
    from djupyter.populate.service.service import Plan, load, serve
    from djupyter.populate.service.worklog import WorkLog, own_output

    def find() -> list[Any]:
        if asked.url:
            from djupyter.session import default

            default.connect(asked.url)
        return load(asked.module, asked.tables)

    plan = Plan(**{name: getattr(asked, name) for name in Plan.__dataclass_fields__})
    with own_output() as file:
        return serve(find, plan, WorkLog(file, as_json=asked.json))


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
        prog="djupyter", description="Work on a pipeline, and on its objects in stores."
    )
    commands = parser.add_subparsers(required=True, metavar="command", dest="command")
    _add_worker(commands)
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


def _add_worker(commands: Any) -> None:
    worker = commands.add_parser("worker", help="make the keys of a pipeline, beside other workers")
    add = worker.add_argument
    add("module", help="with the tables, such as my_pipeline.processing")
    add("--tables", nargs="+", default=(), metavar="NAME", help="only these of its tables")
    add("--restrict", metavar="TEXT", help="only keys that meet this condition")
    add("--priority", type=int, help="only jobs of this priority or a lower number")
    add("--processes", type=_count, default=1, metavar="N", help="that make keys; 1 is this one")
    add("--time-limit", type=_some_seconds, metavar="S", help="seconds that a key may take")
    add("--memory", type=_bytes, metavar="4GB", help="that each process may have")
    lasting = worker.add_mutually_exclusive_group()
    lasting.add_argument("--loop", action="store_true", help="go on for ever")
    lasting.add_argument(
        "--max-calls", type=_count, metavar="N", help="at most N keys of each table"
    )
    add("--idle", type=_seconds, default=30.0, metavar="S", help="between two looks, with --loop")
    add(
        "--grace", type=_seconds, default=30.0, metavar="S", help="for a key in work, after SIGTERM"
    )
    add("--health-file", metavar="PATH", help="touched while the lease and the database live")
    add("--json", action="store_true", help="log as lines of JSON")
    add("--url", help="of the database; otherwise that of the settings")


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds


def _some_seconds(text: str) -> float:
    if not (seconds := _seconds(text)):
        raise argparse.ArgumentTypeError("0 seconds are none; leave it out for no limit")
    return seconds


def _bytes(text: str) -> int:
    """Return a number of bytes: `4GB` is 4 billions, `4GiB` and `4G` are 4 times 1024 ** 3."""
    found = re.fullmatch(
        r"([0-9]+(?:\.[0-9]+)?)\s*(?:([KMGT])(i?B)?|B)?", text.strip(), re.IGNORECASE
    )
    if found is None or float(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 4GB, 512MB or 4GiB")
    base = 1000 if (found[3] or "").upper() == "B" else 1024
    power = " KMGT".index((found[2] or " ").upper())
    return int(float(found[1]) * base**power)


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
