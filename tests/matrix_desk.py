"""The requests of the matrix about the auditors' desk and the visits to be made again."""

from collections.abc import Iterable

from sqlalchemy import text

from tests.matrix_asking import Call, World
from tests.matrix_calls import Fill
from tests.matrix_doubts import DECIDED, key_text
from tests.matrix_world import Spot


def desk(_w: World, spot: Spot) -> Iterable[Call]:
    """The queue of an area, with filters, and with something of it chosen in each way."""
    for query in (
        {},
        {"rule": "outside", "verdict": "outside"},
        {"state": "all", "since": "2026-10-01", "until": "2026-10-31"},
        {"enumerator": f"ĐTV {spot.mark('R')}"},
    ):
        yield Call("/audit", query={"area": spot.code, **query}, names=(spot.mark("R"),))
    chosen = {
        "survey": spot.survey,
        "item": key_text(spot, "outside"),
        "case": f"{spot.record_province}:{spot.commune_code}:survey:{spot.survey}",
    }
    for name, value in chosen.items():
        yield Call("/audit", query={"area": spot.code, name: value}, names=(value, spot.survey))


def case(_w: World, spot: Spot) -> Iterable[Call]:
    for verdict in ("outside", DECIDED):
        here, there = _pair(spot, verdict)
        yield _twins("/audit/case", "GET", {"item": here}, {"item": there})


def decide(w: World, spot: Spot) -> Iterable[Call]:
    """Each decision about a survey; the case that it alone makes, too."""
    here, there = _pair(spot, "outside")
    for more in (
        {"decision": "confirmed"},
        {"decision": "explained", "reason": "Sát ranh giới"},
        {
            "decision": "repaired",
            "reason": "x",
            "lat": "21.05",
            "lon": f"{spot.lon + 0.05:.6f}",
        },
        {"decision": "revisit", "due_on": "2099-12-01"},
    ):
        sent, absent = ({"subject": f"0:{one}", **more} for one in (here, there))
        yield _twins("/audit/decisions", "POST", sent, absent)
    picked, none = (
        {"pick": f"0.1.{_mark(w, spot)}:{spot.record_province}:{key}", "decision": "confirmed"}
        for key in _cases(spot, "outside")
    )
    yield _twins("/audit/decisions", "POST", picked, none)


def _mark(w: World, spot: Spot) -> int:
    """The sum by which a form names the row of the spot's case (geo.audit.queue.extents)."""
    row = f"{spot.commune_code}:survey:{spot.survey_of('outside')}"
    with w.case() as conn:
        return int(conn.execute(text("SELECT hashtext(:row)"), {"row": row}).scalar_one())


def reopen(_w: World, spot: Spot) -> Iterable[Call]:
    here, there = _pair(spot, DECIDED)
    yield _twins("/audit/reopen", "POST", {"subject": here}, {"subject": there})


def undo(w: World, spot: Spot) -> Iterable[Call]:
    number = w.ids.decisions[spot.key]
    absent = 10 ** len(str(number)) - 1
    # Whose session did not save it takes nothing back, in the own area either.
    for one in (number, absent):
        yield Call("/audit/undo", "POST", form={"decision_id": str(one)}, names=(str(one),))


def withdraw(w: World, spot: Spot) -> Iterable[Call]:
    number = w.ids.revisits[spot.key]
    absent = 10 ** len(str(number)) - 1
    form = {"province": spot.record_province, "commune": spot.commune_code}
    here, there = (
        Call(f"/revisits/{one}/withdraw", "POST", form=form, names=(str(one),))
        for one in (number, absent)
    )
    yield Call(here.path, "POST", form=form, names=here.names, twin=there)


def send_decisions(_w: World, spot: Spot) -> Iterable[Call]:
    """The same over HTTP."""
    path, names = "/api/v1/audit/decisions", _names(spot, "outside")
    for decision in ("confirmed", "reopened"):
        verdict = DECIDED if decision == "reopened" else "outside"
        here, there = (
            {
                "decision": decision,
                "subjects": [
                    {
                        "subject": "survey",
                        "province_code": spot.record_province,
                        "commune_code": spot.commune_code,
                        "subject_id": one,
                    }
                ],
            }
            for one in _names(spot, verdict)
        )
        twin = Call(path, "POST", json=there, names=_names(spot, verdict))
        yield Call(path, "POST", json=here, names=names + _names(spot, verdict), twin=twin)


def one_case(_w: World, spot: Spot) -> Iterable[Call]:
    here, there = (
        {"province_code": spot.record_province, "case_key": key} for key in _cases(spot, "outside")
    )
    yield _twins("/api/v1/audit/case", "GET", here, there)


def lists(*paths: str) -> Fill:
    """Lists of an area; files of it need records.export."""

    def calls(_w: World, spot: Spot) -> Iterable[Call]:
        for path in paths:
            yield Call(path, query={"area": spot.code})
            yield Call(path, query={"area": spot.code, "state": "all"})

    return calls


def _names(spot: Spot, verdict: str) -> tuple[str, str]:
    """A survey's id, and one that nothing has."""
    here = spot.survey_of(verdict)
    return here, "99" + here[2:]


def _pair(spot: Spot, verdict: str) -> tuple[str, str]:
    here, there = _names(spot, verdict)
    text = key_text(spot, verdict)
    return text, text.replace(here, there)


def _cases(spot: Spot, verdict: str) -> tuple[str, ...]:
    """The keys of the cases that these two surveys alone make."""
    return tuple(f"{spot.commune_code}:survey:{one}" for one in _names(spot, verdict))


def _twins(path: str, method: str, here: dict[str, str], there: dict[str, str]) -> Call:
    """A request, and the same about what does not exist; `names` are what they differ in."""
    by = "query" if method == "GET" else "form"
    made = []
    for values in (here, there):
        differ = [one for name, one in values.items() if here[name] != there[name]]
        told = tuple(part for one in differ for part in (one, one.rsplit(":", 1)[-1]))
        made.append(Call(path, method, names=told, **{by: dict(values)}))  # type: ignore[arg-type]
    one, twin = made
    return Call(path, method, query=one.query, form=one.form, names=one.names, twin=twin)
