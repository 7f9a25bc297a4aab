"""Words of the auditors' pages: states, decisions, families of rules, usual reasons."""

from flask_babel import lazy_gettext as _l

from geo.rules import FAMILIES
from web.labels import term

STATES = {
    "open": _l("Chưa kết luận"),
    "confirmed": _l("Xác nhận sai lệch"),
    "explained": _l("Có giải trình"),
    "repaired": _l("Đã sửa toạ độ"),
    "revisit": _l("Yêu cầu khảo sát lại"),
}
STATE_SIGNS = {"open": "○", "confirmed": "✕", "explained": "✓", "repaired": "✎", "revisit": "↻"}
CHOICES = {"decided": _l("Đã kết luận"), "all": _l("Tất cả")}
"""States to filter by, beside the five of a survey or site."""
DECISIONS = {
    "confirmed": (_l("Xác nhận sai lệch"), _l("Cảnh báo đúng: vị trí không tin được.")),
    "explained": (_l("Có giải trình"), _l("Cảnh báo có lý do chính đáng; phải ghi lý do.")),
    "repaired": (_l("Sửa toạ độ"), _l("Điểm bị ghi sai; điểm gốc vẫn được lưu.")),
    "revisit": (_l("Khảo sát lại"), _l("Đưa vào danh sách của điều tra viên.")),
}
"""What can be decided: its name and what it means."""
REOPENED = _l("Mở lại")
FAMILY_NAMES = {key: term(*names) for key, names in FAMILIES.items()}
SUBJECTS = {"survey": _l("Phiếu"), "site": _l("Nhà")}
SEVERITIES = {3: _l("nặng"), 2: _l("vừa"), 1: _l("nhẹ")}
SEVERITY_SIGNS = {3: "▲", 2: "◆", 1: "•"}
BECAUSE = {
    "boundary": _l("ranh giới thay đổi"),
    "address": _l("địa chỉ thay đổi"),
    "point": _l("sửa toạ độ"),
    "settings": _l("ngưỡng thay đổi"),
}
"""Why a verdict was replaced."""
REASONS = (
    _l("Hộ ở sát ranh giới, đã đối chiếu thực địa"),
    _l("Khảo sát tại trụ sở xã theo lịch hẹn của thôn"),
    _l("Hộ tạm trú nơi khác, khảo sát tại nơi ở hiện nay"),
    _l("Nhiều hộ ở chung một nhà"),
    _l("Sóng định vị yếu do núi che"),
    _l("Hộ đã chuyển nhà, địa chỉ chưa cập nhật"),
)
"""Reasons that are often right; offered, never filled in."""
ROUTE_SHOWN = 40
