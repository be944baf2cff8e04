"""Threads that each work on some of the images at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Self

from threadpoolctl import threadpool_info, threadpool_limits

CHUNK = 1000  # images at a time: in float64 they take twice their size


def split_into_chunks(n: int) -> list[slice]:
    """Return slices of at most CHUNK that cover n images."""
    return [slice(start, start + CHUNK) for start in range(0, n, CHUNK)]


class Threads(ThreadPoolExecutor):
    """As many threads as BLAS has been given, with a BLAS of one thread in each.

    BLAS has OMP_NUM_THREADS threads, or one for each core of this process. So the work around a
    matrix product runs in parallel, too, and no product or decomposition waits for threads of its
    own, which on a busy machine can take 100 times longer than the work. The same chunks give the
    same results, whatever the number of threads.
    """

    def __init__(self) -> None:
        self.count = max(
            (
                library["num_threads"]
                for library in threadpool_info()
                if library["user_api"] == "blas"
            ),
            default=1,
        )
        super().__init__(self.count)

    def __enter__(self) -> Self:
        self.limits = threadpool_limits(1, "blas")
        super().__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        super().__exit__(None, None, None)
        self.limits.restore_original_limits()
