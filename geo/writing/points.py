"""Points as well-known binary, made for whole columns at once."""

import numpy as np
import pyarrow as pa

_WKB = np.dtype([("order", "u1"), ("kind", "<u4"), ("lon", "<f8"), ("lat", "<f8")])


def wkb(lon: pa.Array, lat: pa.Array) -> pa.Array:
    """Points (lon, lat; degrees) as a binary column; null where lon is null."""
    made = np.zeros(len(lon), _WKB)
    made["order"], made["kind"] = 1, 1
    known = lon.is_valid().to_numpy(zero_copy_only=False)
    made["lon"] = lon.fill_null(0.0).to_numpy(zero_copy_only=False)
    made["lat"] = lat.fill_null(0.0).to_numpy(zero_copy_only=False)
    made = made[known]
    sizes = np.where(known, _WKB.itemsize, 0)
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype("<i4")
    valid = pa.py_buffer(np.packbits(known, bitorder="little").tobytes())
    buffers = [valid, pa.py_buffer(offsets.tobytes()), pa.py_buffer(made.tobytes())]
    return pa.Array.from_buffers(pa.binary(), len(known), buffers)
