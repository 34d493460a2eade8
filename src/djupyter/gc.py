"""Garbage collection of objects in stores: `dj.gc.scan`, `dj.gc.collect`, and datajoint's `dj.gc.GarbageCollector`."""

from __future__ import annotations

from djupyter.table.collect import collect, scan
from djupyter.table.collected import Report
from djupyter.table.collector import GarbageCollector
from djupyter.table.telling import ObjectProgress

__all__ = ["GarbageCollector", "ObjectProgress", "Report", "collect", "scan"]
