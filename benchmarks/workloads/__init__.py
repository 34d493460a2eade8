"""Every workload, in the order of the report."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.timing import Workload
from benchmarks.workloads import (
    blobs,
    cascade,
    cloud,
    diagram,
    fetch,
    files,
    garbage,
    insert,
    objects,
    populate,
    processes,
    queries,
    small,
)

WORKLOADS: Sequence[Workload] = (
    *insert.WORKLOADS,
    *fetch.WORKLOADS,
    *small.WORKLOADS,
    *queries.WORKLOADS,
    *processes.WORKLOADS,
    *cascade.WORKLOADS,
    *diagram.WORKLOADS,
    *populate.WORKLOADS,
    *garbage.WORKLOADS,
    *blobs.WORKLOADS,
    *objects.WORKLOADS,
    *files.WORKLOADS,
    *cloud.WORKLOADS,
)
