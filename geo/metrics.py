"""METRICS: coverage, completion and the rest, per area, kept with every write.

`commune_counter` and `site_due` hold counts per commune, see `geo.counting`. Whoever reads adds up,
so that a parent is the sum of its children by construction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Connection, cast, func, select

from geo import areas, publishing
from geo.areas import Area
from geo.counter_tables import commune_counter, site_due
from geo.counting import recount, revision, touch
from geo.tables import KINDS, STAGES, VERDICTS
from geo.terms import KIND_TERMS, STAGE_TERMS, VERDICT_TERMS

__all__ = ["METRICS", "Metric", "recount", "revision", "touch"]

TIME_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
UNRESOLVED = {"vi": "Chưa xác định được địa chỉ", "en": "Unresolved address"}

SILENT_DAYS = 3
"""An area with work left that reports nothing for so many days has stopped reporting."""

Figures = dict[str, Any]
"""Metric → int, float or None, datetime or None, as its kind says; and `suppressed`.

Suppressed figures are all None: see `geo.publishing`.
"""


@dataclass(frozen=True)
class Metric:
    """One figure of an area.

    A count or money is the sum of the counters named in `terms`; a ratio (0 to 1, None when its
    denominator is 0) divides two other metrics. `explanation` is for docs/metrics.md and tooltips.
    """

    key: str
    vi: str
    en: str
    unit: str
    kind: Literal["count", "ratio", "time", "money"]
    explanation: str
    terms: tuple[str, ...] = ()
    numerator: str | None = None
    denominator: str | None = None


def _stages(first: str, last: str, kinds: Iterable[str] = KINDS) -> tuple[str, ...]:
    span = STAGES[STAGES.index(first) : STAGES.index(last) + 1]
    return tuple(f"{kind}_{stage}" for kind in kinds for stage in span)


def _count(key: str, vi: str, en: str, explanation: str, *terms: str) -> Metric:
    unit = "đồng" if key.startswith("cost") else ""
    kind: Literal["count", "money"] = "money" if unit else "count"
    return Metric(key, vi, en, unit, kind, explanation, terms or (key,))


def _ratio(
    key: str, vi: str, en: str, numerator: str, denominator: str, explanation: str
) -> Metric:
    return Metric(
        key, vi, en, "%", "ratio", explanation, numerator=numerator, denominator=denominator
    )


_ALL: tuple[Metric, ...] = (
    _count("households", "Số hộ phải rà soát", "Households expected", "Households on the roster."),
    _count("surveyed", "Hộ đã khảo sát", "Households surveyed", "Households with a survey."),
    _count(
        "verified",
        "Hộ đã xác minh vị trí",
        "Households verified",
        "Households with a survey whose verdict is inside.",
    ),
    _ratio("coverage", "Độ phủ", "Coverage", "surveyed", "households", "Surveyed of expected."),
    _ratio(
        "verified_coverage",
        "Độ phủ đã xác minh",
        "Verified coverage",
        "verified",
        "households",
        "Verified of expected.",
    ),
    _count("poor", "Hộ nghèo", "Poor households", "Households with status poor."),
    _count("near_poor", "Hộ cận nghèo", "Near-poor households", "Status near_poor."),
    _count("rated", "Hộ đã có kết quả", "Rated households", "Households with any status."),
    _ratio("poverty_rate", "Tỷ lệ hộ nghèo", "Poverty rate", "poor", "rated", "Poor of rated."),
    _ratio(
        "near_poor_rate",
        "Tỷ lệ hộ cận nghèo",
        "Near-poor rate",
        "near_poor",
        "rated",
        "Near-poor of rated.",
    ),
    _count(
        "poor_surveyed",
        "Hộ nghèo đã khảo sát",
        "Poor households surveyed",
        "Poor households with a survey.",
    ),
    _count("surveys", "Lượt khảo sát", "Surveys", "Surveys by the address they record."),
    *(
        _count(verdict, *VERDICT_TERMS[verdict], f"Surveys with the verdict {verdict}.")
        for verdict in VERDICTS
    ),
    _count("judged", "Lượt đã kết luận", "Judged", "Surveys not unlocated.",
           "inside", "uncertain", "outside"),
    _ratio(
        "mismatch_share",
        "Tỷ lệ lệch địa bàn",
        "Mismatch share",
        "outside",
        "judged",
        "Outside of all surveys that could be judged.",
    ),
    _count("sites", "Số nhà", "Sites", "Rebuild sites at any stage.",
           *_stages("proposed", "handed_over")),
    _count("sites_new", "Nhà xây mới", "New houses", "Sites of the kind new.",
           *_stages("proposed", "handed_over", ["new"])),
    _count("sites_repair", "Nhà sửa chữa", "Repairs", "Sites of the kind repair.",
           *_stages("proposed", "handed_over", ["repair"])),
    _count("approved", "Đã phê duyệt", "Approved", "Sites at the stage approved or later.",
           *_stages("approved", "handed_over")),
    _count("started", "Đã khởi công", "Started", "Sites at the stage started or later.",
           *_stages("started", "handed_over")),
    _count("building", "Đang thi công", "Building", "Sites from the stage started to roof.",
           *_stages("started", "roof")),
    _count("completed", "Đã hoàn thành", "Completed",
           "Sites completed, accepted or handed over.", *_stages("completed", "handed_over")),
    _count("handed_over", "Đã bàn giao", "Handed over", "Sites handed over.",
           *_stages("handed_over", "handed_over")),
    _count("supported", "Đã hỗ trợ", "Supported", "Completed and building together.",
           *_stages("completed", "handed_over"), *_stages("started", "roof")),
    _count("unsupported", "Chưa hỗ trợ", "Not yet supported", "Sites not started.",
           *_stages("proposed", "approved")),
    _count("overdue", "Quá hạn", "Overdue",
           "Sites not completed whose due date is before today in Asia/Ho_Chi_Minh.",
           "overdue"),
    _ratio(
        "completion",
        "Tỷ lệ hoàn thành",
        "Completion",
        "handed_over",
        "approved",
        "Handed over of approved.",
    ),
    _count("cost_planned", "Kinh phí kế hoạch", "Cost planned", "Planned for all sites."),
    _count("cost_paid", "Kinh phí đã chi", "Cost paid", "Paid for all sites."),
    Metric("last_activity", "Hoạt động gần nhất", "Last activity", "", "time",
           "Latest survey or site stage by its own date, whenever it was imported."),
    *(
        _count(
            f"{kind}_{stage}",
            f"{KIND_TERMS[kind][0]}: {STAGE_TERMS[stage][0]}",
            f"{KIND_TERMS[kind][1]}: {STAGE_TERMS[stage][1].lower()}",
            f"Sites of the kind {kind} that stand at the stage {stage}.",
        )
        for kind in KINDS
        for stage in STAGES
    ),
)  # fmt: skip
METRICS: dict[str, Metric] = {metric.key: metric for metric in _ALL}


def today() -> date:
    """The date in Viet Nam, against which due dates are held."""
    return datetime.now(TIME_ZONE).date()


def days_silent(figures: Mapping[str, Any], on: date | None = None) -> int | None:
    """Days in Viet Nam since the last survey or stage of an area; None when there was none."""
    last = figures["last_activity"]
    return None if last is None else ((on or today()) - last.astimezone(TIME_ZONE).date()).days


def stopped(figures: Mapping[str, Any], on: date | None = None) -> bool:
    """Whether an area has work left and nothing was reported from it for SILENT_DAYS.

    Work left: households without a survey, or approved sites that are not completed.
    Nothing is said of suppressed figures.
    """
    if figures["households"] is None:
        return False
    left = figures["surveyed"] < figures["households"] or (
        figures["completed"] < figures["approved"]
    )
    days = days_silent(figures, on)
    return left and (days is None or days >= SILENT_DAYS)


def figures(conn: Connection, area: Area, on: date | None = None) -> Figures:
    """All METRICS of one present area; overdue as of `on`, by default today.

    Raises UsageError for an area that has ended, ForbiddenError for one outside the scope of a
    transaction that may not see figures elsewhere.
    """
    if publishing.is_hidden(publishing.hidden_in(conn, area), area):
        return dict(_SUPPRESSED)
    return _derive(_sums(conn, area, None, on)[None])


def children_figures(conn: Connection, area: Area, on: date | None = None) -> list[dict[str, Any]]:
    """All METRICS of each present child: code, full_name, level and the figures, in name order.

    What belongs to the area and to none of its children comes last, with the code '', when
    there is any; rows that are not suppressed therefore always add up to the area. A commune has
    no children: []. Errors as with `figures`.
    """
    return figures_below(conn, area, on)[1]


def figures_below(
    conn: Connection, area: Area, on: date | None = None
) -> tuple[Figures, list[dict[str, Any]]]:
    """What `figures` and `children_figures` give, from one reading of the counters."""
    all_hidden = publishing.hidden_in(conn, area)
    hidden = publishing.hidden_below(all_hidden, area)
    if area.level == "commune":
        return _shown(_sums(conn, area, None, on)[None], publishing.is_hidden(all_hidden, area)), []
    by = "province_code" if area.level == "country" else "commune_code"
    sums = _sums(conn, area, by, on)
    whole = _shown(_total(sums.values()), publishing.is_hidden(all_hidden, area))
    below = areas.children(conn, area.code)
    rows: list[dict[str, Any]] = [
        {
            "code": child.code,
            "full_name": child.full_name,
            "level": child.level,
            **_shown(sums.pop(child.code, {}), child.code in hidden),
        }
        for child in below
    ]
    rest = _derive(_total(sums.values()))
    if rest["households"] or rest["surveys"] or rest["sites"]:
        level = "province" if area.level == "country" else "commune"
        kept = dict(_SUPPRESSED) if "" in hidden else rest
        rows.append({"code": "", "full_name": UNRESOLVED["vi"], "level": level, **kept})
    return whole, rows


def commune_figures(conn: Connection, area: Area, on: date | None = None) -> dict[str, Figures]:
    """All METRICS by commune code of every commune in the area that has ever had a record.

    Errors as with `figures`.
    """
    hidden = {commune for _, commune in publishing.hidden_in(conn, area).communes}
    sums = _sums(conn, area, "commune_code", on)
    return {code: _shown(row, code in hidden) for code, row in sums.items() if code}


def _shown(sums: "Sums", hidden: bool) -> Figures:
    return dict(_SUPPRESSED) if hidden else _derive(sums)


_SUPPRESSED: Figures = {"suppressed": True, **dict.fromkeys(METRICS)}
_COUNTERS = [
    c
    for c in commune_counter.c
    if c.name not in ("province_code", "commune_code", "last_survey", "last_activity")
]

_COUNTED = (*(c.name for c in _COUNTERS), "overdue")
_ZERO = dict.fromkeys(_COUNTED, 0)

Sums = Mapping[str, Any]


def _sums(
    conn: Connection, area: Area, by: str | None, on: date | None
) -> dict[str | None, dict[str, Any]]:
    """The counters within the area added up, per value of the column `by` where one is named."""
    group = [commune_counter.c[by]] if by else []
    counted = conn.execute(
        select(
            *(c.label("key") for c in group),
            func.max(commune_counter.c.last_activity).label("last_activity"),
            *(cast(func.sum(c), BigInteger).label(c.name) for c in _COUNTERS),
        )
        .where(areas.scope(area, commune_counter))
        .group_by(*group)
    )
    sums = {row.key if by else None: {**row._mapping, "overdue": 0} for row in counted}
    due_group = [site_due.c[by]] if by else []
    late = conn.execute(
        select(func.sum(site_due.c.unfinished).label("late"), *(c.label("key") for c in due_group))
        .where(areas.scope(area, site_due), site_due.c.due_on < (on or today()))
        .group_by(*due_group)
    )
    for row in late:
        sums[row.key if by else None]["overdue"] = row.late
    return sums


def _total(rows: Iterable[Sums]) -> Sums:
    total: dict[str, Any] = {}
    for row in rows:
        for name in _COUNTED:
            total[name] = total.get(name, 0) + row[name]
        times = [t for t in (total.get("last_activity"), row["last_activity"]) if t]
        total["last_activity"] = max(times, default=None)
    return total


def _derive(sums: Sums) -> Figures:
    counted = _ZERO | {name: sums[name] or 0 for name in _COUNTED} if sums else _ZERO
    out: Figures = {"suppressed": False}
    for key, metric in METRICS.items():
        if metric.kind == "time":
            out[key] = sums.get(key)
        elif metric.kind == "ratio":
            below = out[str(metric.denominator)]
            out[key] = out[str(metric.numerator)] / below if below else None
        elif len(metric.terms) == 1:
            out[key] = counted[metric.terms[0]]
        else:
            out[key] = sum([counted[term] for term in metric.terms])
    return out
