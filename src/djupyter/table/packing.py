"""Large arrays are packed by threads, a few rows ahead of the one that is written: deflating lets others run."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from djupyter.codecs.blob import BlobCodec
from djupyter.codecs.chain import Chain

# Below, handing work to threads takes longer than the work.
_MANY, _LARGE = 4, 1 << 18


@dataclass(frozen=True, slots=True)
class Stored:
    """What codecs have made of a value before.

    Parameters
    ----------
    content
        Bytes or a document.
    rest
        How many of the attribute's codecs, the last ones, have yet to encode it.
    """

    content: Any
    rest: int = 0


def packed_ahead(
    chain: Chain, values: Sequence[Any], workers: int
) -> Generator[Future[Stored] | None, None, None]:
    """Yield for each value what its blob will be; None where it has yet to be packed by whoever asks.

    There are at most so many blobs ahead as workers. Close it when you stop before its end.

    Examples
    --------
    >>> from djupyter.codecs.chain import chain_of
    >>> from djupyter.definition.types import parse_type
    >>> chain, large = chain_of(parse_type("<blob>")), np.zeros(10**5)
    >>> [ready and ready.result().content == chain.codecs[0].encode(large)
    ...     for ready in packed_ahead(chain, [large, None, large, large], 2)]
    [True, None, True, True]
    >>> [*packed_ahead(chain, [1, 2, 3, 4], 2)]
    [None, None, None, None]
    """
    threads = min(workers, os.cpu_count() or 1)
    if threads == 1 or type(chain.codecs[0]) is not BlobCodec or not _are_large(values):
        yield from repeat(None, len(values))
        return
    waiting: deque[Future[Stored] | None] = deque()
    with ThreadPoolExecutor(threads, "dj-pack") as pool:
        try:
            for value in values:
                is_value = value is not None and type(value) is not Stored
                waiting.append(pool.submit(_packed, chain, value) if is_value else None)
                if len(waiting) > threads:
                    yield waiting.popleft()
            while waiting:
                yield waiting.popleft()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _packed(chain: Chain, value: Any) -> Stored:
    codec = chain.codecs[0]
    codec.validate(value)
    return Stored(codec.encode(value), len(chain.codecs) - 1)


def _are_large(values: Sequence[Any]) -> bool:
    some = values[:_MANY]
    size = sum(value.nbytes for value in some if isinstance(value, np.ndarray))
    return len(some) == _MANY and size > _MANY * _LARGE
