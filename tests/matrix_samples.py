"""The requests of the matrix about verification samples."""

from collections.abc import Iterable

from tests.matrix_asking import Call, World
from tests.matrix_world import Spot

METHODS = ("random", "stratified", "weighted")


def draws(_w: World, spot: Spot) -> Iterable[Call]:
    for method in METHODS:
        form = {"area": spot.code, "method": method, "size": "3", "at_least": "1"}
        yield Call("/audit/samples", "POST", form=form)


def abandons(w: World, spot: Spot) -> Iterable[Call]:
    number = w.ids.samples[spot.key]
    absent = 10 ** len(str(number)) - 1
    yield Call(
        f"/audit/samples/{number}/abandon", "POST", form={}, names=(str(number),),
        twin=Call(f"/audit/samples/{absent}/abandon", "POST", form={}, names=(str(absent),)),
    )  # fmt: skip


def checks(w: World, spot: Spot) -> Iterable[Call]:
    """What a visit found, of a sample that is there and of one that is not."""
    number = w.ids.samples[spot.key]
    absent = 10 ** len(str(number)) - 1
    survey = spot.survey_of("inside")
    for outcome in ("match", "mismatch", "unreachable"):
        form = {
            "province": spot.record_province,
            "commune": spot.commune_code,
            "survey": survey,
            "outcome": outcome,
            "note": "đã đến nơi",
        }
        names = (survey, spot.household)
        yield Call(
            f"/audit/samples/{number}", "POST", form=form, names=(str(number), *names),
            twin=Call(f"/audit/samples/{absent}", "POST", form=form, names=(str(absent), *names)),
        )  # fmt: skip
