"""Rows as rules get them: surveys and sites without any doubt, changed column by column."""

import numpy as np
import pandas as pd

_POINT = {"lon": 105.8, "lat": 21.0, "accuracy_m": 5.0}
_VERDICT = {
    "verdict": "inside",
    "probability": 1.0,
    "distance_m": 500.0,
    "accuracy_used_m": 5.0,
    "boundary_accuracy_m": 10.0,
    "recorded_code": "10001",
    "located_code": "10001",
    "boundary_version": 1,
}
_HOUSEHOLD = {
    "province_code": "19",
    "commune_code": "10001",
    "household_code": "H1",
    "area_id": None,
    "recorded_address": None,
    "candidates": (),
    "content_hash": "c",
    "judged_at": pd.Timestamp("2026-09-02T00:00Z"),
    "demo": False,
    "village": None,
    "village_key": None,
    "home_lon": np.nan,
    "home_lat": np.nan,
    "home_accuracy_m": np.nan,
}
_SURVEY = {
    "survey_id": "s",
    "surveyed_at": pd.Timestamp("2026-09-01T02:00Z"),
    "sent_at": pd.NaT,
    "received_at": pd.Timestamp("2026-09-01T03:00Z"),
    "enumerator": "An",
    "device_id": "D1",
    "mock_location": None,
    "altitude_m": np.nan,
    "satellites": np.nan,
    "crs": "EPSG:4326",
    "photo": None,
    "sent_lon": np.nan,
    "sent_lat": np.nan,
    "site_code": None,
    "site_lon": np.nan,
    "site_lat": np.nan,
    "site_accuracy_m": np.nan,
}
_SITE = {
    "site_code": "S1",
    "kind": "new",
    "stage": "proposed",
    "stage_on": None,
    "approved_on": None,
    "due_on": None,
    "received_at": pd.Timestamp("2026-09-01T03:00Z"),
}


def surveys(*given, **columns):
    """One survey for each dict of what differs, or a frame of `columns` (lists alike long)."""
    return _frame(_POINT | _VERDICT | _HOUSEHOLD | _SURVEY, given, columns)


def sites(*given, **columns):
    """The same for sites."""
    return _frame(_POINT | _VERDICT | _HOUSEHOLD | _SITE, given, columns)


def _frame(fine, given, columns):
    if given:
        return pd.DataFrame([fine | values for values in given], columns=list(fine))
    number = max((len(values) for values in columns.values()), default=0)
    index = pd.RangeIndex(number)
    filled = {name: columns.get(name, [value] * number) for name, value in fine.items()}
    frame = pd.DataFrame(filled, index)
    numbers = [name for name, value in fine.items() if isinstance(value, float)]
    return frame.astype(dict.fromkeys(numbers, float))
