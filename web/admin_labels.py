"""Words of the administrators' pages: states, roles, actions, changes and outcomes."""

import re

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from geo.accounts.changes import WORDS, Told
from web import labels
from web.labels import ROLES as ROLES
from web.labels import term

STATES = {
    "active": _l("Đang dùng"),
    "never": _l("Chưa đăng nhập"),
    "unused": _l("Không dùng 30 ngày"),
    "locked": _l("Tạm khoá"),
    "disabled": _l("Đã ngừng"),
}
STATE_SIGNS = {"active": "●", "never": "○", "unused": "◔", "locked": "▲", "disabled": "✕"}
CHANGES = {key: term(*words) for key, words in WORDS.items()}
ACTIONS: dict[str, LazyString] = {
    **labels.ACTIONS,
    "sign-in": _l("Đăng nhập"),
    "sign-out": _l("Đăng xuất"),
    "account.own": _l("Tài khoản của tôi"),
    "signed in": _l("Mở trang"),
    "public": _l("Mở trang"),
}
"""What entries of the log are about: the actions of roles, and what everybody does."""
OUTCOMES = {"allowed": _l("Được phép"), "denied": _l("Bị từ chối"), "failed": _l("Không thành")}
OUTCOME_SIGNS = {"allowed": "✓", "denied": "⛔︎", "failed": "!"}
WAYS = {
    "session": _l("Trình duyệt"),
    "token": _l("Mã truy cập"),
    "command": _l("Dòng lệnh"),
    "none": _l("Chưa đăng nhập"),
}
SUBJECTS = {
    "household": _l("Hộ"),
    "survey": _l("Phiếu"),
    "site": _l("Nhà"),
    "account": _l("Tài khoản"),
    "accounts": _l("Danh sách tài khoản"),
    "address": _l("Lựa chọn xã cho địa chỉ"),
    "addresses": _l("Địa chỉ chưa xác định"),
    "access": _l("Người có quyền"),
    "group": _l("Nhóm"),
    "groups": _l("Danh sách nhóm"),
    "log": _l("Nhật ký"),
    "figures": _l("Số liệu"),
    "search": _l("Tìm kiếm"),
    "tile": _l("Ô bản đồ"),
    "households": _l("Danh sách hộ"),
    "surveys": _l("Danh sách phiếu"),
    "sites": _l("Danh sách nhà"),
    "findings": _l("Danh sách cảnh báo"),
    "audit": _l("Trường hợp nghi vấn"),
    "revisit": _l("Yêu cầu khảo sát lại"),
    "revisits": _l("Danh sách khảo sát lại"),
    "sample": _l("Mẫu kiểm chứng"),
    "samples": _l("Danh sách mẫu kiểm chứng"),
    "profiles": _l("Hồ sơ điều tra viên"),
    "changes": _l("Kết luận thay đổi"),
    "report": _l("Báo cáo kiểm tra vị trí"),
}
_VARIABLE = r"<(?:\w+(?:\([^<>()]*\))?:)?\w+>"
_VARIABLES = re.compile(rf"{_VARIABLE}(?:/{_VARIABLE})*(?:\.mvt)?")
_HELD = re.compile(r"([a-z]+)@(\w+)")


def plain_route(route: str) -> str:
    """The route of a log entry without what only a programmer reads: `GET /tiles/…`."""
    return _VARIABLES.sub("…", route)


def said(reason: str) -> str:
    """The reason of a log entry in the page's language, as far as it has words for it."""
    told = Told.read(reason)
    if told is None:
        return reason
    words = str(CHANGES[told.change])
    return f"{words}: {_HELD.sub(_role, told.details)}" if told.details else words


def _role(found: re.Match[str]) -> str:
    return f"{ROLES[found[1]]} ({found[2]})" if found[1] in ROLES else found[0]
