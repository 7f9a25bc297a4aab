"""Error pages for people; /api, /tiles and /ogc answer with problem+json (see api/errors.py)."""

import logging
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import Flask, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from api.access import caller, may
from api.errors import STATUS
from api.ogc.answering import prefers_page
from geo.accounts import roles
from geo.errors import AncuError, ForbiddenError, NotFoundError, SignInError, UsageError
from web import labels
from web.language import language
from web.messages import in_words
from web.navigation import menu
from web.sign_in import own_path

log = logging.getLogger(__name__)

TITLES = {
    400: _l("Địa chỉ hoặc tham số không đúng"),
    403: _l("Không thuộc quyền của bạn"),
    404: _l("Không tìm thấy"),
    405: _l("Không dùng được cách gửi này"),
    409: _l("Trùng mã, khác nội dung"),
    413: _l("Tệp quá lớn"),
    422: _l("Dữ liệu bị từ chối"),
    429: _l("Quá nhiều yêu cầu"),
    500: _l("Có lỗi trong hệ thống"),
    503: _l("Cơ sở dữ liệu chưa trả lời"),
}
HELP = {
    400: _l("Xem lại địa chỉ hoặc bộ lọc."),
    403: _l("Cần thêm quyền thì đề nghị người quản trị địa bàn của bạn."),
    404: _l("Không có trang, địa bàn hoặc bản ghi này."),
    413: _l("Chia tệp thành nhiều phần nhỏ hơn rồi nhập lại."),
    429: _l("Đợi một phút rồi thử lại."),
    500: _l("Lỗi đã được ghi vào nhật ký máy chủ. Hãy thử lại; nếu vẫn lỗi, báo người quản trị."),
    503: _l("Thử lại sau ít phút; nếu vẫn lỗi, báo người quản trị."),
}
FOREIGN = (
    _l("Yêu cầu đến từ trang khác nên bị từ chối"),
    _l("Mở trang này trực tiếp rồi gửi lại."),
)
"""Title and help of a 403 that is not about rights: see web/security.py."""
OUTDATED = (
    _l("Phiên đã hết hạn hoặc biểu mẫu cũ"),
    _l("Tải lại trang rồi gửi lại."),
)
"""Of a form without the token of its session."""
FOR_PROGRAMS = ("/api/", "/tiles/", "/ogc", "/healthz", "/openapi")
STEPS = {"password": "account.password", "totp": "account.second_factor"}
"""Where those are led who must do something first (Caller.unsettled)."""


def install(app: Flask) -> None:
    """Answer people's errors with pages; programs keep what api/errors.py answers them."""
    for kind in (AncuError, HTTPException, Exception):
        for_programs = app.error_handler_spec[None][None].get(kind)
        http_for_programs = for_programs or _plain
        app.register_error_handler(kind, _choose(http_for_programs))


def _choose(for_programs: Any) -> Any:
    def answer(error: Exception) -> Any:
        by_program = _asked_by_program() and not _mistyped_page(error)
        return for_programs(error) if by_program else _page(error)

    return answer


def _asked_by_program() -> bool:
    """Whether a program reads the answer: of the API, of a page's script, or with a token."""
    by_script = request.path.endswith((".json", ".geojson"))
    return request.path.startswith(FOR_PROGRAMS) or by_script or "Authorization" in request.headers


def _mistyped_page(error: Exception) -> bool:
    """Whether somebody reads the pages of /ogc and asked for what does not exist."""
    wrong = isinstance(error, UsageError | NotFoundError)
    return wrong and request.path.startswith("/ogc") and prefers_page()


def _plain(error: Exception) -> Any:
    if isinstance(error, HTTPException):
        return error
    raise error


def _page(error: Exception) -> tuple[str, int] | Response:
    if isinstance(error, HTTPException) and (error.code or 500) < 400:
        return error.get_response()
    elsewhere = _led_elsewhere(error)
    if elsewhere:
        caller().denied = True
        return redirect(elsewhere, 303)
    if isinstance(error, HTTPException):
        status = error.code or 500
    elif isinstance(error, AncuError):
        status = STATUS.get(type(error), 500)
    else:
        log.exception("A page failed: %s", request.path)
        status = 500
    title, message = _words(error, status)
    values = {
        "title": title,
        "message": message,
        "detail": _detail(error),
        "problems": getattr(error, "problems", []),
        "back": _way_back(),
        "again": request.path if isinstance(error, CSRFError) and _can_be_opened() else "",
    }
    return render_template("error.html", active="", **values), status


def _way_back() -> dict[str, Any]:
    """Where who asks can go on: progress, or else the first page that is open to them."""
    home = {"url": url_for("progress.home"), "label": _("Về trang tiến độ")}
    first = next(menu(), None)
    if first is None or first[0] == "progress":
        return home
    return {"url": first[1], "label": _("Tới trang: %(page)s", page=first[2])}


def _led_elsewhere(error: Exception) -> str:
    """Where to go first: to sign in, or to a step that has to be done; '' for nowhere."""
    if isinstance(error, SignInError):
        back = request.full_path.rstrip("?") if request.method == "GET" else _lost_form()
        return url_for("sign_in.page", next=back if back != "/" else None)
    told = caller()
    if isinstance(error, ForbiddenError) and told.unsettled and not _is_step():
        return url_for(STEPS[told.unsettled])
    return ""


def _lost_form() -> str:
    """Say that what was sent without a session is not stored; the page of the form, else `/`.

    What was typed is not kept here: it would wait for whoever signs in next.
    """
    if request.endpoint == "sign_in.logout":
        return "/"
    flash(
        _("Phiên làm việc đã hết. Nội dung vừa gửi chưa được lưu; đăng nhập rồi gửi lại."),
        "failed",
    )
    page = urlsplit(request.referrer or "")
    if page.netloc != request.host or not _can_be_opened(unquote(page.path)):
        return "/"
    return own_path(page.path + (f"?{page.query}" if page.query else ""))


def _is_step() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, "while_unsettled", False))


def _can_be_opened(path: str | None = None) -> bool:
    """Whether there is a page at the path, by default at the one that the form was sent to."""
    adapter = current_app.create_url_adapter(request)
    return adapter is not None and adapter.test(path, method="GET")


def _words(error: Exception, status: int) -> tuple[Any, Any]:
    """Title and help of the page."""
    if isinstance(error, CSRFError):
        return OUTDATED
    if status == 403 and not isinstance(error, AncuError):
        return FOREIGN
    return TITLES.get(status, TITLES[500 if status >= 500 else 400]), HELP.get(status, "")


def _detail(error: Exception) -> str:
    """What more there is to say, in the page's language."""
    if not isinstance(error, AncuError):
        return ""
    action = caller().action
    if isinstance(error, ForbiddenError) and action in roles.ACTIONS and not may(action):
        return _("Vai trò của bạn không có quyền: %(what)s.", what=labels.ACTIONS[action])
    return in_words(str(error), language())
