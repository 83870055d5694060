"""SparseMatrix: the entries of a matrix."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

import numpy as np

from eventsnn._core.synapses.connect import Lines
from eventsnn.base.arrays import Floats, Ids
from eventsnn.base.errors import InputError
from eventsnn.describe.rules.base import Rule


class SparseMatrix(Rule):
    """A synapse for each entry of a scipy.sparse matrix of shape (n_pre, n_post), the entry being its weight.

    matrix: a matrix or array of scipy.sparse in any format, of which a copy is kept. What it stores counts, a 0 too;
    entries of the same row and column are summed. A dia matrix cannot store a 0, and a bsr matrix stores all elements
    of its blocks. The projection's weight is one number, mV, pA or nS, by which the entries are multiplied.

    Synapses are counted by row, then by column; an array of delays has the shape (n,).

    Raises InputError for what is no such matrix, for one that does not hold finite real numbers, and in drawing if the
    sides have other sizes.
    """

    drawn_by: ClassVar[str] = "has a weight for each synapse"

    def __init__(self, matrix: Any):
        # Who holds such a matrix has imported scipy, which eventsnn can do without.
        sparse = sys.modules.get("scipy.sparse")
        if sparse is None or not sparse.issparse(matrix):
            raise InputError(
                f"SparseMatrix: {type(matrix).__name__} is no scipy.sparse matrix; write scipy.sparse.csr_array(matrix)"
            )
        if matrix.ndim != 2:
            raise InputError(
                f"SparseMatrix: a matrix of shape {matrix.shape} cannot be used; it must be (n_pre, n_post)"
            )
        if matrix.dtype.kind not in "iuf":
            raise InputError(
                f"SparseMatrix: a matrix of type {matrix.dtype} cannot be used; write matrix.astype(float) if its "
                "entries are real numbers"
            )
        # As floats before entries are summed, since the sum of small integers may not fit into their type.
        rows = _rows(matrix)
        rows.sum_duplicates()
        self._size: tuple[int, int] = rows.shape
        self._start = rows.indptr
        self._target = rows.indices.astype(np.int32, copy=False)
        self._weights: Floats = rows.data
        for array in (self._start, self._target, self._weights):
            array.flags.writeable = False
        wrong = np.flatnonzero(~np.isfinite(self._weights))
        if wrong.size:
            k = wrong[0]
            row = np.searchsorted(self._start, k, side="right") - 1
            raise InputError(f"SparseMatrix: matrix[{row}, {self._target[k]}] = {self._weights[k]} must be finite")

    def __repr__(self) -> str:
        return f"SparseMatrix({self._size[0]} x {self._size[1]} with {self._weights.size} entries)"

    def lines(self, key: int, pre: Ids, post: Ids) -> Lines:
        if (len(pre), len(post)) != self._size:
            raise InputError(
                f"SparseMatrix: {len(pre)} presynaptic and {len(post)} postsynaptic neurons; a matrix of shape "
                f"{self._size} needs as many as it has rows and columns"
            )
        source = np.repeat(np.arange(len(pre), dtype=np.int32), np.diff(self._start))
        return Lines("listed", key, len(pre), len(post), pre=source, post=self._target)

    def weights(self) -> Floats:
        return self._weights

    def shape(self, n_pre: int, n_post: int) -> tuple[int]:
        return (self._weights.size,)


def _rows(matrix: Any) -> Any:
    """The matrix as rows of floats, if its indices lie inside it: scipy takes others too, and would write beyond its
    arrays."""
    try:
        if hasattr(matrix, "check_format"):
            matrix.check_format()
        return matrix.astype(np.float64).tocsr()
    except ValueError as error:
        raise InputError(f"SparseMatrix: the matrix contradicts itself ({error}); build it anew") from None
