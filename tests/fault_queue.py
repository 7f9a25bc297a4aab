"""Whether the auditors' queue leads to the faults: risk of honest and of faulty rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geo.audit import risk


@dataclass(frozen=True)
class Queue:
    """Rows of a queue, worst first: whether each is faulty; and how many rows there are at all.

    faulty: of the listed rows, in the queue's order; faults, honest: of all rows, listed or not.
    """

    faulty: np.ndarray
    risks: np.ndarray
    faults: int
    honest: int

    def first(self, number: int) -> tuple[int, int]:
        """Of the first `number` rows: how many there are, how many are faulty."""
        head = self.faulty[:number]
        return len(head), int(head.sum())

    def listed_faults(self, least: float) -> tuple[int, int]:
        """Of all faulty rows, how many have at least this risk."""
        return self.faults, int((self.faulty & (self.risks >= least)).sum())

    def listed_honest(self, least: float) -> tuple[int, int]:
        """Of all honest rows, how many have at least this risk."""
        return self.honest, int((~self.faulty & (self.risks >= least)).sum())


def queue(known: pd.DataFrame, findings: pd.DataFrame) -> Queue:
    """The queue of these findings; known: see tests.fault_score.truth.

    Rows beside another's fault and the surveys of a faulty site count as neither.
    """
    rules = findings.groupby(["subject", "subject_id"])["rule"].agg(list)
    risks = rules.map(lambda codes: risk.of(codes)[0]).sort_values(ascending=False, kind="stable")
    faulty = known["kind"] != ""
    counted = faulty | ((known["beside"] == "") & (known["site_kind"] == ""))
    listed = risks[counted.reindex(risks.index).to_numpy()]
    return Queue(
        faulty.reindex(listed.index).to_numpy(),
        listed.to_numpy(),
        int(faulty.sum()),
        int((~faulty & counted).sum()),
    )
