"""Official terms for codes that the data holds, in the page's language."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from geo.accounts import roles
from geo.terms import CAUSE_TERMS, KIND_TERMS, STAGE_TERMS, STATUS_TERMS, VERDICT_TERMS, Term
from web.language import language


def term(vietnamese: str, english: str) -> LazyString:
    """One of geo.terms in the language of the page that shows it."""
    return LazyString(lambda: english if language() == "en" else vietnamese)


def _all(terms: dict[str, Term]) -> dict[str, LazyString]:
    return {code: term(*names) for code, names in terms.items()}


# In the order of doubt, as the audit shows them.
VERDICTS = {
    code: term(*VERDICT_TERMS[code]) for code in ("outside", "uncertain", "inside", "unlocated")
}
STATUSES = _all(STATUS_TERMS)
CAUSES = _all(CAUSE_TERMS)
SITE_KINDS = _all(KIND_TERMS)
STAGES = _all(STAGE_TERMS)
IMPORT_KINDS = {
    "households": _l("Danh sách hộ"),
    "surveys": _l("Phiếu rà soát"),
    "sites": _l("Nhà xây mới, sửa chữa"),
}
METRICS = {
    "full_name": _l("Địa bàn"),
    "households": _l("Hộ"),
    "surveyed": _l("Đã khảo sát"),
    "coverage": _l("Độ phủ"),
    "verified_coverage": _l("Độ phủ đã xác minh"),
    "poor": _l("Hộ nghèo"),
    "near_poor": _l("Hộ cận nghèo"),
    "poverty_rate": _l("Tỷ lệ hộ nghèo"),
    "near_poor_rate": _l("Tỷ lệ hộ cận nghèo"),
    "approved": _l("Nhà đã duyệt"),
    "started": _l("Khởi công"),
    "building": _l("Đang xây"),
    "completed": _l("Xong"),
    "handed_over": _l("Bàn giao"),
    "completion": _l("Hoàn thành bàn giao"),
    "overdue": _l("Quá hạn"),
    "last_activity": _l("Hoạt động gần nhất"),
}
ROLES = {key: term(role.vi, role.en) for key, role in roles.ROLES.items()}
ACTIONS = {key: term(action.vi, action.en) for key, action in roles.ACTIONS.items()}
