"""Pairs of files in worker processes: dear ones first, and what kills a worker alone at the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait

from synbench.execution.executors import WORKER_DIED, ProcessPool
from synbench.pairs import ScoredPair, SoundPair, failed_pair, score_chunk

# A chunk is this part of a worker's share of what is left, so that all end together.
CHUNKS_PER_SHARE = 3
LEAST_CHUNK_SECONDS = 0.05

__all__ = ["in_pool"]


def in_pool(
    pairs: Sequence[SoundPair], costs: Sequence[float], columns: Sequence[str], *, workers: int
) -> list[ScoredPair]:
    """Score all pairs, in any order.

    Every chunk in flight fails with a worker that dies, and any may be the cause: their pairs are
    tried again one at a time, when all others are done.

    Args:
        costs: forecast CPU seconds of each pair.
    """
    scored: list[ScoredPair] = []
    waiting, suspects = deque(_chunks(pairs, costs, workers)), deque[SoundPair]()
    running: dict[Future[list[ScoredPair]], list[SoundPair]] = {}
    pool = ProcessPool(workers, preload=("synbench.pairs",))
    try:
        while waiting or suspects or running:
            while waiting and len(running) < pool.in_flight:
                chunk = waiting.popleft()
                running[_submit(pool, chunk, columns)] = chunk
            alone = not running
            if alone:
                chunk = [suspects.popleft()]
                running[_submit(pool, chunk, columns)] = chunk
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            lost: list[SoundPair] = []
            for future in done:
                chunk = running.pop(future)
                try:
                    scored += future.result()
                except BrokenExecutor:
                    lost += chunk
            if lost:
                lost += [pair for chunk in running.values() for pair in chunk]
                running.clear()
                pool.restart()
            if alone:
                scored += [failed_pair(pair.name, columns, WORKER_DIED) for pair in lost]
            else:
                suspects += lost
    finally:
        pool.shutdown(kill=True)
    return scored


def _chunks(
    pairs: Sequence[SoundPair], costs: Sequence[float], workers: int
) -> Iterator[list[SoundPair]]:
    """All pairs, the longest first, in chunks that get cheaper, so that workers end together."""
    left = sum(costs)
    chunk: list[SoundPair] = []
    cost = 0.0
    for index in sorted(range(len(pairs)), key=lambda index: -costs[index]):
        chunk.append(pairs[index])
        cost += costs[index]
        if cost >= max(left / (workers * CHUNKS_PER_SHARE), LEAST_CHUNK_SECONDS):
            yield chunk
            left -= cost
            chunk, cost = [], 0.0
    if chunk:
        yield chunk


def _submit(
    pool: ProcessPool, chunk: Sequence[SoundPair], columns: Sequence[str]
) -> Future[list[ScoredPair]]:
    try:
        return pool.submit(score_chunk, chunk, columns)
    except BrokenExecutor as error:  # an idle worker has died
        future: Future[list[ScoredPair]] = Future()
        future.set_exception(error)
        return future
