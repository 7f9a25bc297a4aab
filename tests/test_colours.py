"""Colours of maps as people see them who confuse red and green: told apart, and never alone."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from geo.layers import LAYERS
from web.maps.marks import DRAWN, marks
from web.maps.scales import SCALES
from web.maps.view import layers

# Machado, Oliveira, Fernandes 2009: severity 1, on linear RGB.
SIGHT = {
    "all colours": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868],
                            [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968],
                              [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
}  # fmt: skip
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]]
)  # fmt: skip
WHITE = TO_XYZ @ np.ones(3)
STEP = 12.0
"""Least distance (CIE 1976) of neighbouring classes of areas; 2.3 is just noticeable."""
APART = 10.0
"""Least distance of marks that share a shape and a filling."""


def lab(colour: str, sight: str) -> np.ndarray:
    """CIE L*a*b* of `#rrggbb` after what the eye makes of it."""
    coded = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(SIGHT[sight] @ linear, 0, 1) / WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: str, other: str, sight: str) -> float:
    return float(np.linalg.norm(lab(one, sight) - lab(other, sight)))


def test_the_measure_is_the_known_one() -> None:
    assert lab("#ffffff", "all colours") == pytest.approx([100, 0, 0], abs=0.01)
    assert lab("#ff0000", "all colours") == pytest.approx([53.24, 80.09, 67.20], abs=0.01)
    # A red and an olive green that people with deuteranopia see as nearly one colour.
    assert distance("#d00000", "#7a6a00", "all colours") > 60
    assert distance("#d00000", "#7a6a00", "deuteranopia") < 25


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("metric", SCALES)
def test_neighbouring_classes_of_areas_are_told_apart(metric: str, sight: str) -> None:
    colours = SCALES[metric].colours
    assert min(distance(a, b, sight) for a, b in pairwise(colours)) >= STEP


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("metric", SCALES)
def test_a_darker_area_always_stands_for_more(metric: str, sight: str) -> None:
    lightness = [lab(colour, sight)[0] for colour in SCALES[metric].colours]
    assert lightness == sorted(lightness, reverse=True)
    assert min(a - b for a, b in pairwise(lightness)) >= 6


@pytest.mark.parametrize("name", [layer.name for layer in layers()])
def test_classes_of_points_differ_in_shape_or_filling_or_are_one_line_of_the_legend(
    name: str,
) -> None:
    for one, other in combinations(set(marks(name).values()), 2):
        assert (one.shape, one.fill) != (other.shape, other.fill), (one, other)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("name", [layer.name for layer in layers()])
def test_colours_of_points_are_told_apart_where_they_differ(name: str, sight: str) -> None:
    colours = sorted({mark.colour for mark in marks(name).values()})
    for one, other in combinations(colours, 2):
        assert distance(one, other, sight) >= APART, (one, other)


def test_every_layer_of_records_is_drawn() -> None:
    assert set(LAYERS) - {"areas"} == {layer.name for layer in layers()} <= set(DRAWN)
