import numpy as np
from numpy.typing import NDArray

def draw_lines(key: int, degree: int, n_side: int, own: NDArray[np.int32], multapses: bool) -> NDArray[np.int32]: ...
def draw_pairs(
    key: int, n: int, n_post: int, own: NDArray[np.int32], multapses: bool
) -> tuple[NDArray[np.int32], NDArray[np.int32]]: ...
def draw_rows(
    key: int, p: float, n_post: int, own: NDArray[np.int32], ordinals: bool
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64] | None]: ...
def columns_of_pairs(
    pre: NDArray[np.int32], post: NDArray[np.int32], n_post: int, ordinals: bool
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64] | None]: ...
def rows_of_columns(
    column_indptr: NDArray[np.int64],
    source: NDArray[np.int32],
    column_ordinal: NDArray[np.int64] | None,
    n_pre: int,
    ordinals: bool,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64] | None]: ...
