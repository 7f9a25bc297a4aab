"""Error pages for people; /api and /tiles answer with problem+json (see api/errors.py)."""

import logging
from typing import Any

from flask import Flask, render_template, request
from flask_babel import lazy_gettext as _l
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from api.errors import STATUS
from geo.errors import (
    AncuError,
)

log = logging.getLogger(__name__)

TITLES = {
    400: _l("Địa chỉ hoặc tham số không đúng"),
    403: _l("Yêu cầu đến từ trang khác nên bị từ chối"),
    404: _l("Không tìm thấy"),
    405: _l("Không dùng được cách gửi này"),
    409: _l("Trùng mã, khác nội dung"),
    413: _l("Tệp quá lớn"),
    422: _l("Dữ liệu bị từ chối"),
    500: _l("Có lỗi trong hệ thống"),
    503: _l("Cơ sở dữ liệu chưa trả lời"),
}
HELP = {
    400: _l("Xem lại địa chỉ hoặc bộ lọc."),
    403: _l("Mở trang này trực tiếp rồi gửi lại."),
    404: _l("Không có trang, địa bàn hoặc bản ghi này."),
    413: _l("Chia tệp thành nhiều phần nhỏ hơn rồi nhập lại."),
    500: _l("Lỗi đã được ghi vào nhật ký máy chủ. Hãy thử lại; nếu vẫn lỗi, báo người quản trị."),
    503: _l("Thử lại sau ít phút; `ancu db status` cho biết thêm."),
}
FOR_PROGRAMS = ("/api/", "/tiles/", "/healthz", "/openapi")


def install(app: Flask) -> None:
    """Answer people's errors with pages; programs keep what api/errors.py answers them."""
    for kind in (AncuError, HTTPException, Exception):
        for_programs = app.error_handler_spec[None][None].get(kind)
        http_for_programs = for_programs or _plain
        app.register_error_handler(kind, _choose(http_for_programs))


def _choose(for_programs: Any) -> Any:
    def answer(error: Exception) -> Any:
        if request.path.startswith(FOR_PROGRAMS):
            return for_programs(error)
        return _page(error)

    return answer


def _plain(error: Exception) -> Any:
    if isinstance(error, HTTPException):
        return error
    raise error


def _page(error: Exception) -> tuple[str, int] | Response:
    if isinstance(error, HTTPException) and (error.code or 500) < 400:
        return error.get_response()
    if isinstance(error, HTTPException):
        status, said = error.code or 500, ""
    elif isinstance(error, AncuError):
        status, said = STATUS.get(type(error), 500), str(error)
    else:
        log.exception("A page failed: %s", request.path)
        status, said = 500, ""
    title = TITLES.get(status, TITLES[500 if status >= 500 else 400])
    values = {
        "title": title,
        "message": HELP.get(status, ""),
        "detail": said,
        "problems": getattr(error, "problems", []),
    }
    return render_template("error.html", active="", **values), status
