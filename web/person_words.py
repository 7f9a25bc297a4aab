"""Words of the pages about one person's data: what can be corrected, and how a record is told."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from geo import rules
from web import audit_labels, formats, labels, sample_words

FIELDS = {
    "head_name": _l("Chủ hộ"),
    "national_id": _l("Số định danh cá nhân"),
    "recorded_address": _l("Địa chỉ ghi nhận"),
    "village": _l("Thôn, bản"),
    "members": _l("Số nhân khẩu"),
    "ethnicity": _l("Dân tộc"),
    "status": _l("Kết quả rà soát"),
    "causes": _l("Nguyên nhân nghèo"),
}
"""What can be corrected, in the order of the page."""

COLUMNS = {
    **FIELDS,
    "household_code": _l("Mã hộ"),
    "national_id_masked": _l("Số định danh cá nhân"),
    "province_code": _l("Mã tỉnh"),
    "commune_code": _l("Mã xã"),
    "candidates": _l("Xã có thể thuộc về"),
    "placed_by": _l("Căn cứ xác định xã"),
    "recorded_area_id": _l("Đơn vị trong địa chỉ"),
    "address_confidence": _l("Độ tin cậy của địa chỉ"),
    "status_year": _l("Năm"),
    "year": _l("Năm"),
    "lon": _l("Kinh độ"),
    "lat": _l("Vĩ độ"),
    "accuracy_m": _l("Sai số định vị (m)"),
    "crs": _l("Hệ toạ độ"),
    "demo": _l("Dữ liệu mẫu"),
    "import_id": _l("Lần nhập"),
    "received_at": _l("Nhận lúc"),
    "recorded_at": _l("Ghi lúc"),
    "survey_id": _l("Mã phiếu"),
    "surveyed_at": _l("Khảo sát lúc"),
    "sent_at": _l("Gửi lúc"),
    "as_sent": _l("Toạ độ thiết bị đã gửi"),
    "enumerator": _l("Điều tra viên"),
    "mock_location": _l("Vị trí giả lập"),
    "device_id": _l("Thiết bị"),
    "altitude_m": _l("Độ cao (m)"),
    "satellites": _l("Số vệ tinh"),
    "photo": _l("Ảnh"),
    "photo_id": _l("Mã ảnh"),
    "file_name": _l("Tên tệp"),
    "exif": _l("Thông tin trong ảnh"),
    "taken_at": _l("Chụp lúc"),
    "camera": _l("Máy chụp"),
    "width": _l("Rộng (điểm ảnh)"),
    "height": _l("Cao (điểm ảnh)"),
    "bytes": _l("Dung lượng (byte)"),
    "sha256": _l("Mã kiểm tra của tệp (SHA-256)"),
    "verdict": _l("Kết luận"),
    "probability": _l("Xác suất khớp"),
    "distance_m": _l("Cách ranh giới (m)"),
    "accuracy_used_m": _l("Sai số đã dùng (m)"),
    "boundary_accuracy_m": _l("Sai số ranh giới (m)"),
    "recorded_code": _l("Xã ghi nhận"),
    "located_code": _l("Xã thực tế"),
    "boundary_version": _l("Phiên bản ranh giới"),
    "judged_at": _l("Kết luận lúc"),
    "replaced_at": _l("Thay thế lúc"),
    "rule": _l("Cảnh báo"),
    "severity": _l("Mức độ"),
    "evidence": _l("Căn cứ"),
    "state": _l("Trạng thái"),
    "found_at": _l("Phát hiện lúc"),
    "site_code": _l("Mã nhà"),
    "kind": _l("Loại"),
    "stream": _l("Nguồn"),
    "eligible": _l("Đủ điều kiện"),
    "approved_on": _l("Ngày duyệt"),
    "due_on": _l("Hạn hoàn thành"),
    "stage": _l("Giai đoạn"),
    "stage_on": _l("Ngày đạt giai đoạn"),
    "reported_at": _l("Báo cáo lúc"),
    "cost_planned": _l("Kinh phí kế hoạch"),
    "cost_paid": _l("Kinh phí đã chi"),
    "household_address": _l("Địa chỉ của hộ"),
    "key": _l("Mã"),
    "reason": _l("Lý do"),
    "changed_at": _l("Sửa lúc"),
    "field": _l("Mục"),
    "old_value": _l("Giá trị cũ"),
    "new_value": _l("Giá trị mới"),
    "account_id": _l("Tài khoản số"),
    "at": _l("Lúc"),
    "via": _l("Qua"),
    "action": _l("Việc"),
    "outcome": _l("Được phép"),
    "subject": _l("Đối tượng"),
    "subject_id": _l("Mã"),
    "decided_at": _l("Kết luận lúc"),
    "decided_by": _l("Tài khoản số"),
    "decision": _l("Kết luận"),
    "details": _l("Căn cứ"),
    "asked_at": _l("Yêu cầu lúc"),
    "asked_by": _l("Tài khoản số"),
    "withdrawn_at": _l("Kết thúc lúc"),
    "sample_id": _l("Mẫu kiểm chứng"),
    "found": _l("Kết quả kiểm tra"),
    "note": _l("Ghi chú"),
    "checked_at": _l("Kiểm tra lúc"),
    "checked_by": _l("Tài khoản số"),
}
_TERMS: dict[str, Mapping[str, Any]] = {
    "status": labels.STATUSES,
    "verdict": labels.VERDICTS,
    "stage": labels.STAGES,
    "kind": {**labels.SITE_KINDS, **labels.IMPORT_KINDS},
    "causes": labels.CAUSES,
    "field": COLUMNS,
    "action": labels.ACTIONS,
    "rule": {code: labels.term(rule.vi, rule.en) for code, rule in rules.RULES.items()},
    "placed_by": {
        "code": _l("Mã xã"),
        "address": _l("Địa chỉ ghi nhận"),
        "fix": _l("Lựa chọn cho các địa chỉ giống nhau"),
        "point": _l("Toạ độ của hộ"),
        "survey": _l("Phiếu rà soát"),
    },
    "exif": {
        "present": _l("có nơi hoặc lúc chụp"),
        "stripped": _l("không còn nơi và lúc chụp"),
        "none": _l("định dạng không ghi"),
    },
    "state": {"open": _l("chưa kết luận")},
    "outcome": {"allowed": _l("có"), "denied": _l("không"), "failed": _l("không thành")},
    "found": sample_words.OUTCOMES,
    "decision": {**audit_labels.STATES, "reopened": audit_labels.REOPENED},
}


def facts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and text of everything that has a value; nested values are told apart."""
    told = []
    for name, value in values.items():
        if value in (None, "", [], {}) or (isinstance(value, list) and isinstance(value[0], dict)):
            continue
        if isinstance(value, dict):
            told += facts(value)
        else:
            told.append((str(COLUMNS.get(name, name)), text(name, value)))
    return told


def text(name: str, value: Any) -> str:
    """One value of a column in words."""
    if value in (None, "", []):
        return "–"
    if isinstance(value, bool):
        return _("có") if value else _("không")
    if isinstance(value, datetime):
        return formats.moment(value)
    if isinstance(value, date):
        return formats.day(value)
    if isinstance(value, list | tuple):
        return "; ".join(text(name, one) for one in value)
    if isinstance(value, dict):
        return "; ".join(f"{COLUMNS.get(k, k)}: {text(k, one)}" for k, one in value.items())
    if isinstance(value, float):
        return formats.number(value, 6 if name in ("lon", "lat") else 2)
    if isinstance(value, str):
        return str(_TERMS.get(name, {}).get(value, value))
    return str(value)


def change_text(field: str, value: Any) -> str:
    """A corrected field's value before or after."""
    if field == "status" and isinstance(value, dict):
        return f"{value['year']}: {text('status', value['status'])}"
    return text(field, value)
