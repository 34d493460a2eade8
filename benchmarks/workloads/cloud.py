"""Small objects to a server of the S3 API that answers late, so many at a time; times are given for each object.

The bare driver is boto3 with so many threads. datajoint writes one at a time.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Any
from uuid import uuid4

import numpy as np

from benchmarks import remote
from benchmarks.places import Place
from benchmarks.stores import definitions, shelves
from benchmarks.tables import Sizes
from benchmarks.timing import Act, Aims, Contender, Contest, Workload
from benchmarks.workloads.objects import NOT_THERE, rows_of

_SIZE = 1_000  # floats


@contextmanager
def _putting(workers: int, place: Place, sizes: Sizes) -> Iterator[Contest]:
    server = remote.running(sizes.latency)
    # As many rounds for all: more objects for those who send more at once.
    rows = rows_of(sizes.puts * workers, _SIZE)
    declared = definitions(place, "<npy@raw>", "varchar(255)", NOT_THERE)
    with shelves(place, declared, lambda _: server.entry()) as found:
        found.work_with(workers)
        acts: dict[Contender, Act] = {
            "driver": partial(_each, len(rows), partial(_put_bare, server, workers, rows))
        }
        for contender in found.libraries:
            # It is slow: what it does in one go it would do in many.
            own = rows[: sizes.puts] if contender == "datajoint" else rows
            insert = partial(found.tables[contender]().insert, own)
            acts[contender] = partial(_each, len(own), insert)
        yield Contest(acts, found.clear)


def _each(count: int, act: Callable[[], object]) -> float:
    start = perf_counter()
    act()
    return (perf_counter() - start) / count


def _put_bare(server: remote.Remote, workers: int, rows: list[dict[str, Any]]) -> None:
    client, folder = server.client(workers), uuid4().hex

    def put(row: dict[str, Any]) -> None:
        file = io.BytesIO()
        np.save(file, row["trace"])
        client.put_object(
            Bucket=remote.BUCKET, Key=f"{folder}/{row['n']}.npy", Body=file.getvalue()
        )

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(put, rows))


WORKLOADS = tuple(
    Workload(
        f"put an object to S3, {workers} at a time",
        partial(_putting, workers),
        Aims(driver=1.15),
        alone=NOT_THERE,
    )
    for workers in (1, 8, 32)
)
