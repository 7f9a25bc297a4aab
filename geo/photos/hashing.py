"""Perceptual hashes: 64 bits that stay nearly the same when a picture is resized or saved anew."""

import numpy as np
from PIL import Image
from scipy.fft import dctn

BITS = 64
_SIDE = 32
_FLAT = 4.0
"""Standard deviation (of 255 grey levels) below which there is nothing in the picture."""
_FEWEST = 16
"""A hash with fewer bits of either kind says little: stripes, one bright corner."""


def perceptual(image: Image.Image) -> int | None:
    """The hash of a picture as a signed 64-bit number; None where there is too little in it.

    The discrete cosine transform's 8 × 8 lowest frequencies, but for the constant ones, each
    above its median or not (Zauner 2010, "Implementation and Benchmarking of Perceptual Image
    Hash Functions", 3.2.1). All-black pictures have none, or they would all be the same photo.
    """
    grey = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    levels = np.asarray(grey, dtype=float)
    if levels.std() < _FLAT:
        return None
    low = dctn(levels, type=2)[1:9, 1:9].ravel()
    bits = low > np.median(low)
    if not _FEWEST <= np.count_nonzero(bits) <= BITS - _FEWEST:
        return None
    return int.from_bytes(np.packbits(bits).tobytes(), "big", signed=True)
