"""Connection rules: a family a file, listed here."""

from eventsnn.describe.rules.convolution import Conv2D
from eventsnn.describe.rules.degrees import FixedInDegree, FixedOutDegree
from eventsnn.describe.rules.explicit import Explicit
from eventsnn.describe.rules.pairs import AllToAll, FixedProbability, OneToOne
from eventsnn.describe.rules.sparse_matrix import SparseMatrix
from eventsnn.describe.rules.total_number import FixedTotalNumber

__all__ = [
    "AllToAll", "Conv2D", "Explicit", "FixedInDegree", "FixedOutDegree", "FixedProbability", "FixedTotalNumber",
    "OneToOne", "SparseMatrix",
]  # fmt: skip
