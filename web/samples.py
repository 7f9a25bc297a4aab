"""Verification samples: drawn for an area, checked visit by visit, what they say about all."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Connection
from werkzeug.wrappers import Response as Answer

from api.access import asked, begin, current, needs, note, own_area, query_text, scope
from api.answers import table
from geo import areas, metrics
from geo.areas import COUNTRY, Area
from geo.audit import estimates, sample_proof, samples, sampling
from geo.audit.actors import By
from geo.audit.sampling import Plan
from geo.audit_tables import SAMPLE_METHODS, SAMPLE_OUTCOMES
from geo.errors import RejectedError
from geo.paging import Record
from web import own_areas
from web import sample_words as words
from web.accounts import place_of
from web.forms import Refused, all_typed, attempt, typed
from web.shell import area_or_none, chosen, page

pages = Blueprint("samples", __name__, url_prefix="/audit/samples")

LOOK, DECIDE = "audit.read", "audit.decide"
SHOWN = 50
USUAL = {"method": "random", "size": "60", "at_least": "1", "expected": "5", "margin": "5"}
FILE_COLUMNS = (
    *("province_code", "commune_code", "subject_id", "key", "household_code", "stratum"),
    *("inclusion", "head_name", "village", "recorded_address", "lon", "lat", "verdict"),
    *("outcome", "note", "checked_by_name", "checked_at"),
)


@pages.get("")
@needs(LOOK)
def index() -> str:
    """The draws for an area, the form for another, and how many surveys to draw."""
    with begin() as conn:
        area = asked(conn, request.args.get("area"))
        note(subject="samples", query=query_text())
        kept = {name: request.args.get(name, usual)[:20] for name, usual in USUAL.items()}
        return _list(conn, area, kept)


@pages.post("")
@needs(DECIDE)
def draw() -> Answer | tuple[str, int]:
    """Draw a sample."""
    note(subject="sample", durable=True)

    def drawn(conn: Connection) -> Record:
        area = own_areas.named(conn, typed("area"), DECIDE)
        note(**place_of(area))
        area = asked(conn, area.code)
        plan = Plan(typed("method"), _whole("size"), _whole("at_least"))
        made = samples.draw(conn, area, plan, _by())
        # The seed is in the log's chain from now on, with the number of the draw.
        told = "drawn: {method}, {size} of {frame_size}, seed {seed}".format(**made)
        note(subject_id=str(made["sample_id"]), rows=made["size"], reason=told)
        return made

    done = attempt(drawn)
    if isinstance(done, Refused):
        with begin(LOOK) as conn:
            area = areas.get(conn, own_area(current(), LOOK))
            return _list(conn, area, USUAL | all_typed(), done), done.status
    flash(_("Đã rút %(n)s phiếu để kiểm chứng.", n=done["size"]), "done")
    return redirect(url_for("samples.one", sample_id=done["sample_id"]), 303)


@pages.get("/<int:sample_id>")
@needs(LOOK)
def one(sample_id: int) -> str:
    """One sample: its surveys, what was found there, and what that says of all."""
    with begin() as conn:
        return _one(conn, _noted(conn, sample_id))


@pages.post("/<int:sample_id>")
@needs(DECIDE)
def check(sample_id: int) -> Answer | tuple[str, int]:
    """Keep what the visit to one survey found."""
    note(subject="sample", subject_id=str(sample_id), durable=True)
    key = (typed("province")[:10], typed("commune")[:10], typed("survey")[:60])
    outcome, was = typed("outcome") or None, typed("was") or None

    def checked(conn: Connection) -> None:
        _noted(conn, sample_id)
        note(province_code=key[0], commune_code=key[1])
        note(reason=f"visit {key[2]}: {was or 'waiting'} → {outcome or 'waiting'}")
        samples.record(conn, sample_id, key, outcome, typed("note"), _by(), was)

    done = attempt(checked)
    if isinstance(done, Refused):
        with begin(LOOK) as conn:
            return _one(conn, samples.get(conn, sample_id), done), done.status
    kept: dict[str, Any] = {name: request.args.get(name) for name in ("show", "page")}
    return redirect(
        url_for("samples.one", sample_id=sample_id, after=key[2], **kept, _anchor="next"), 303
    )


@pages.post("/<int:sample_id>/abandon")
@needs(DECIDE)
def abandon(sample_id: int) -> Answer | tuple[str, int]:
    """Ask for no more visits; the sample stays, as everything that was drawn does."""
    note(subject="sample", subject_id=str(sample_id), durable=True)

    def abandoned(conn: Connection) -> int:
        _noted(conn, sample_id)
        ended = samples.abandon(conn, sample_id, _by())
        note(reason=f"abandoned: {ended} visits not made", rows=ended)
        return ended

    done = attempt(abandoned)
    if isinstance(done, Refused):
        with begin(LOOK) as conn:
            return _one(conn, samples.get(conn, sample_id), done), done.status
    flash(_("Đã thôi yêu cầu đến %(n)s hộ; mẫu vẫn được lưu.", n=done), "done")
    return redirect(url_for("samples.one", sample_id=sample_id), 303)


@pages.get("/<int:sample_id>/proof")
@needs(LOOK)
def proof(sample_id: int) -> str:
    """Compute the sample anew, and tell what came of it."""
    with begin() as conn:
        sample = _noted(conn, sample_id)
        return page(
            conn,
            "sample_proof.html",
            active="audit",
            area=_area_of(conn, sample),
            title=_title(sample),
            sample=sample,
            proof=sample_proof.verify(conn, sample_id, log=False),
            words=words,
        )


@pages.get("/<int:sample_id>/file.csv")
@needs(LOOK)
def file(sample_id: int) -> Answer:
    """The surveys of a sample with what was found there, for those who may export, too."""
    scope("records.export")
    with begin() as conn:
        sample = _noted(conn, sample_id)
        listed = samples.items(conn, sample)
    rows = [{**item, "key": sampling.key(item["subject_id"])} for item in listed]
    return table(f"sample-{sample_id}", "csv", FILE_COLUMNS, rows)


@pages.get("/<int:sample_id>/frame.txt")
@needs(LOOK)
def frame(sample_id: int) -> Answer:
    """What a sample was drawn from, byte by byte as its digest is made of; needs as for `file`."""
    scope("records.export")
    with begin() as conn:
        note(rows=_noted(conn, sample_id)["frame_size"])
        text = samples.frame_text(conn, sample_id)
    answer = Response(text, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f"attachment; filename=ancu-frame-{sample_id}.txt"
    return answer


def _by() -> By:
    return By(current().account_id, current().full_name)


def _whole(name: str) -> int:
    """A number that the form holds; raises RejectedError."""
    text = typed(name).strip()
    if not text:
        return 0
    if not text.isdecimal() or len(text) > 7:
        raise RejectedError(_("“%(text)s” không phải là số nguyên.", text=text[:20]))
    return int(text)


def _noted(conn: Connection, sample_id: int) -> Record:
    """The sample, known to the access log; raises NotFoundError."""
    note(subject="sample", subject_id=str(sample_id))
    sample = samples.get(conn, sample_id)
    note(province_code=sample["province_code"], commune_code=sample["commune_code"])
    return sample


def _area_of(conn: Connection, sample: Record) -> Area:
    """The area of a sample, or where it lay if it has ended."""
    for code in (sample["area_code"], sample["province_code"]):
        if code and (found := area_or_none(conn, code)):
            return found
    return areas.get(conn, COUNTRY)


def _title(sample: Record) -> str:
    return _("Mẫu kiểm chứng số %(n)s", n=sample["number"])


def _needed(kept: dict[str, Any], population: int) -> int | None:
    """How many surveys the helper names; None where its fields hold no rates."""
    try:
        expected, margin = (
            float(str(kept[name]).replace(",", ".")) / 100 for name in ("expected", "margin")
        )
        return min(estimates.size_needed(expected, margin, population), sampling.MOST_DRAWN)
    except (ValueError, RejectedError):
        return None


def _list(
    conn: Connection, area: Area, values: dict[str, Any], refused: Refused | None = None
) -> str:
    listed = samples.listing(conn, area)
    note(rows=len(listed))
    surveys = metrics.figures(conn, area)["surveys"]
    return page(
        conn,
        "samples.html",
        active="audit",
        area=area,
        title=_("Mẫu kiểm chứng") + ": " + area.full_name,
        options=own_areas.around(conn, area, LOOK),
        samples=listed,
        names=own_areas.names(conn, (one["area_code"] for one in listed), area),
        surveys=surveys,
        needed=_needed(values, surveys),
        values=values,
        decides=own_areas.allowed(area, DECIDE),
        refused=refused,
        most=sampling.MOST_DRAWN,
        methods=SAMPLE_METHODS,
        words=words,
        titled=own_areas.titled(area),
    )


def _one(conn: Connection, sample: Record, refused: Refused | None = None) -> str:
    listed = samples.items(conn, sample)
    area = _area_of(conn, sample)
    note(rows=len(listed))
    show = chosen("show", ("waiting", *SAMPLE_OUTCOMES), "")
    printed = request.args.get("print") == "1"
    wanted = [item for item in listed if not show or (item["outcome"] or "waiting") == show]
    number = 1 if printed else _page_number(len(wanted))
    shown = wanted if printed else wanted[(number - 1) * SHOWN : number * SHOWN]
    return page(
        conn,
        "sample.html",
        active="audit",
        area=area,
        title=_title(sample),
        sample=sample,
        items=shown,
        names=own_areas.names(conn, (item["commune_code"] for item in shown), area),
        total=len(wanted),
        number=number,
        pages=max(1, -(-len(wanted) // SHOWN)),
        unseen=sample["size"] - len(listed),
        visits=samples.open_visits(conn, sample["sample_id"]),
        next=_next(shown, request.args.get("after")),
        counted={key: sum(i["outcome"] == key for i in listed) for key in SAMPLE_OUTCOMES},
        show=show,
        printed=printed,
        estimate=samples.estimate(sample, listed),
        each=samples.of_each(sample, listed),
        fewest=estimates.FEWEST_OF_ONE,
        decides=own_areas.allowed(area, DECIDE) and not printed,
        exports=own_areas.allowed(area, "records.export"),
        refused=refused,
        words=words,
    )


def _page_number(rows: int) -> int:
    asked_for = request.args.get("page", "1")
    number = int(asked_for) if asked_for.isdecimal() and len(asked_for) < 6 else 1
    return min(max(number, 1), max(1, -(-rows // SHOWN)))


def _next(shown: Sequence[Record], after: str | None) -> str | None:
    """The first survey to check, behind the one that was just recorded if there is one."""
    ids = [item["subject_id"] for item in shown]
    start = ids.index(after) + 1 if after in ids else 0
    waiting = [i for i in (*shown[start:], *shown[:start]) if not i["outcome"] and not i["removed"]]
    return waiting[0]["subject_id"] if waiting else None
