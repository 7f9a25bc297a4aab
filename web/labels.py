"""Official terms for codes that the data holds, in the page's language."""

from flask_babel import lazy_gettext as _l

VERDICTS = {
    "outside": _l("Lệch địa bàn"),
    "uncertain": _l("Chưa chắc chắn"),
    "inside": _l("Khớp địa bàn"),
    "unlocated": _l("Chưa định vị"),
}
IMPORT_KINDS = {
    "households": _l("Danh sách hộ"),
    "surveys": _l("Phiếu rà soát"),
    "sites": _l("Nhà xây mới, sửa chữa"),
}
STATUSES = {
    "poor": _l("Hộ nghèo"),
    "near_poor": _l("Hộ cận nghèo"),
    "average": _l("Mức sống trung bình"),
    "none": _l("Không nghèo"),
}
SITE_KINDS = {"new": _l("Xây mới"), "repair": _l("Sửa chữa")}
STAGES = {
    "proposed": _l("Đề xuất"),
    "verified": _l("Đã xác minh"),
    "approved": _l("Đã duyệt"),
    "started": _l("Khởi công"),
    "foundation": _l("Xong móng"),
    "frame": _l("Xong khung, tường"),
    "roof": _l("Xong mái"),
    "completed": _l("Hoàn thành"),
    "accepted": _l("Nghiệm thu"),
    "handed_over": _l("Bàn giao"),
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
