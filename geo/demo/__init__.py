"""Synthetic data that are wrong in known ways, and their removal."""

from geo.demo.loading import (
    HOUSEHOLDS,
    PROVINCES,
    SEED,
    demo_communes,
    ensure,
    load,
    remove,
    truth_file,
    write_truth,
)

__all__ = [
    "HOUSEHOLDS",
    "PROVINCES",
    "SEED",
    "demo_communes",
    "ensure",
    "load",
    "remove",
    "truth_file",
    "write_truth",
]
