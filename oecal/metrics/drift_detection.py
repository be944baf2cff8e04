"""An alarm on a stream of images: a sequential test that they are still like the validation images.

Conformal p-values of a stream that is exchangeable with the validation images are independent and
uniform. A test martingale bets against that, and its wealth ever reaches 1 / alpha with a
probability of at most alpha. So that is the probability of a false alarm, over the draw of the
validation images and the stream, however long the stream is.
"""

from __future__ import annotations

import numpy as np

SHARES = (0.01, 0.05, 0.2)  # of OOD images that the martingale bets on
POWER = 0.4  # of the density of their p-values
CHANGE = 1e-3  # probability that the change comes with the next image: one in 1,000


def count_earlier_larger(ranks: np.ndarray) -> np.ndarray:
    """Count, for each element of S sequences, how many earlier ones are larger.

    ranks: (S, L), each row a permutation of 0 ... L-1. The ranks so far are kept as a set of bits,
    64 ranks a word, with the number of those in the words above: O(L) operations on S bits or S
    words in place of L^2 comparisons.

    >>> count_earlier_larger(np.array([[2, 0, 1]]))
    array([[0, 1, 1]], dtype=int32)
    """
    streams, length = ranks.shape
    words = np.arange(-(-length // 64), dtype=np.int32)
    seen, above = (
        np.zeros((streams, len(words)), np.uint64),
        np.zeros((streams, len(words)), np.int32),
    )
    at, bits = (
        np.ascontiguousarray(ranks.T >> 6).astype(np.int32),
        np.ascontiguousarray(ranks.T & 63).astype(np.uint64),
    )
    line, larger = np.arange(streams), np.empty((length, streams), np.int32)
    for t, (word, bit) in enumerate(zip(at, bits, strict=True)):
        own = seen[line, word]
        larger[t] = above[line, word] + np.bitwise_count(own >> bit)
        seen[line, word] = own | (np.uint64(1) << bit)
        above += words < word[:, None]
    return larger.T


def p_values(val: np.ndarray, streams: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Smoothed online conformal p-values, (S, L), of the scores of S streams of length L.

    val: scores of N ID validation images. p_t = (number above s_t + u_t number tied with s_t) /
    (N + t) among the validation images and the first t of the stream, u_t uniform (Vovk, Gammerman
    & Shafer, Algorithmic Learning in a Random World, 2005, ch. 2). The past of the stream is part
    of the reference: p-values from the validation images alone would be independent only given
    these, and their errors would add up along a long stream.
    """
    inside, step = np.sort(val), np.arange(streams.shape[1])
    order = np.argsort(streams, axis=1, kind="stable")
    ordered = np.take_along_axis(streams, order, axis=1)
    ranks, first = np.empty_like(order), np.zeros_like(order)
    np.put_along_axis(ranks, order, step[None], axis=1)
    first[:, 1:] = np.maximum.accumulate(
        np.where(ordered[:, 1:] != ordered[:, :-1], step[1:], 0), axis=1
    )
    # The scores are in order, which makes the search many times faster
    below, up_to = (np.searchsorted(inside, ordered, side=side) for side in ("left", "right"))
    # Of tied scores the earlier has the lower rank: its distance to the first of them is the number
    # that came before
    tied = np.take_along_axis(up_to - below - first, ranks, axis=1) + ranks + 1
    larger = len(inside) - np.take_along_axis(up_to, ranks, axis=1) + count_earlier_larger(ranks)
    p: np.ndarray = (larger + rng.uniform(size=streams.shape) * tied) / (len(inside) + step + 1)
    return p


def wealth(p: np.ndarray) -> np.ndarray:
    """The martingale's wealth after each image, (S, L), starting from 1.

    p: (S, L), p-values, independent and uniform unless something changed. The martingale bets that
    from some image on a share w of the images is OOD, with p-values of density h p^(h-1), h =
    POWER, as in the power martingale of Vovk, Nouretdinov & Gammerman (ICML 2003): a factor 1 - w +
    w h p^(h-1), of mean 1 under uniform p. Each next image brings the change with the same
    probability (CHANGE), and all SHARES are equally likely for w; what has not been staked yet is
    kept. So the wealth is a Bayesian mixture over when and how much, in the manner of Shiryaev
    (1963), and a martingale because each component is one.
    """
    shares = np.array(SHARES)[:, None]
    bets = POWER * np.maximum(p, 1e-300) ** (POWER - 1) - 1
    kept, staked, total = 1.0, np.zeros((len(SHARES), len(p))), np.empty(p.shape)
    for t in range(p.shape[1]):
        # The bound keeps it finite, and is reached long after any alarm
        staked = np.minimum(
            (staked + kept * CHANGE / len(SHARES)) * (1 + shares * bets[:, t]), 1e300
        )
        kept *= 1 - CHANGE
        total[:, t] = kept + staked.sum(axis=0)
    return total


def find_alarms(wealth: np.ndarray, alpha: float) -> np.ndarray:
    """Return the index of the first image at which each stream's wealth reaches 1 / alpha, (S,).

    It is -1 where that never happens. By Ville's inequality, P(ever a false alarm) <= alpha.

    >>> find_alarms(np.array([[1, 5, 30], [1, 2, 3]]), alpha=0.05)
    array([ 2, -1])
    """
    above = wealth >= 1 / alpha
    return np.where(above.any(axis=1), above.argmax(axis=1), -1)
