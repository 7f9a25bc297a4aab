"""Runs RULES over judged rows and puts what they find into one table."""

import math
from datetime import date, datetime

import numpy as np
import pandas as pd

from geo.rules import RULES, SURVEY, Context, Rule, location

COLUMNS = (
    "province_code",
    "commune_code",
    "rule",
    "severity",
    "evidence",
    "group_key",
    "blameless",
)


_OF_WHAT_WAS_SENT = ("measurement", "coordinates")
"""Families that judge how a point was measured and written: not one that an auditor set."""


def rules_for(subject: str, alone: bool) -> list[Rule]:
    """The rules about `subject` that see one row (alone), or all there are."""
    return [r for r in RULES.values() if subject in r.subjects and (r.alone or not alone)]


def findings_of(
    frame: pd.DataFrame,
    context: Context,
    subject: str = SURVEY,
    key: str = "survey_id",
    *,
    alone: bool = False,
) -> pd.DataFrame:
    """What the rules find in judged rows: `key`, COLUMNS.

    frame: the columns of geo.audit.frames; with alone=True those that the rules for single rows
    read are enough: the verdict's, lon, lat, accuracy_m, mock_location. evidence: a dict of plain
    values for JSON. group_key: what rows share, with the rule's code, else None. blameless: False,
    see geo.audit.changes. A point that an auditor set is not blamed on who sent another one.
    """
    if alone:
        frame = frame[_doubtful(frame, context)]
        if frame.empty:
            return pd.DataFrame(columns=[key, *COLUMNS])
    found = []
    corrected = frame["corrected"].astype(bool) if "corrected" in frame else None
    for rule in rules_for(subject, alone):
        hits = rule.find(frame, context)
        if corrected is not None and (rule.family in _OF_WHAT_WAS_SENT or rule.code == "uncertain"):
            hits = hits[~corrected[hits.index]]
        if len(hits):
            found.append(_listed(frame, hits, rule, key))
    if not found:
        return pd.DataFrame(columns=[key, *COLUMNS])
    return pd.concat(found, ignore_index=True)


def _doubtful(frame: pd.DataFrame, context: Context) -> np.ndarray:
    """The rows that a rule for single rows may hit: most surveys are fine, and sent one by one."""
    # Whatever is neither unknown nor false is left to the rule to understand; sites tell nothing.
    told = frame["mock_location"].tolist() if "mock_location" in frame else [None] * len(frame)
    mocked = [not (one is None or one is False) for one in told]
    return ~location.beyond_doubt(
        frame["verdict"].to_numpy(object),
        frame["lon"].to_numpy(float),
        frame["lat"].to_numpy(float),
        frame["accuracy_m"].to_numpy(float),
        np.array(mocked, bool),
        context.settings,
    )


def _listed(frame: pd.DataFrame, hits: pd.DataFrame, rule: Rule, key: str) -> pd.DataFrame:
    listed = frame.loc[hits.index, [key, "province_code", "commune_code"]]
    if "group" in hits:
        groups: list[str | None] = [f"{rule.code}:{group}" for group in hits["group"]]
        hits = hits.drop(columns="group")
    else:
        groups = [None] * len(hits)
    evidence = [_plain(values) for values in hits.to_dict("records")]
    return listed.assign(
        rule=rule.code,
        severity=rule.severity,
        evidence=pd.Series(evidence, hits.index, dtype=object),
        group_key=pd.Series(groups, hits.index, dtype=object),
        blameless=False,
    )


def _plain(values: dict) -> dict[str, object]:
    """Python values for JSON; what is not known (NaN, NaT, None) is null, times are ISO 8601."""
    return {str(name): _plain_value(value) for name, value in values.items()}


def _plain_value(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_plain_value(one) for one in value]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value
