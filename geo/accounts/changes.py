"""What people change in accounts and groups, and the words of it in the access log."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from geo.accounts import credentials, delegation, ending, store, totp
from geo.accounts.roles import User
from geo.terms import Term

Act = Callable[[Connection, User | None, int], str | None]
"""Changes an account as who may (None: the operator); a new password when there is one."""

WORDS: dict[str, Term] = {
    "created": ("Tạo tài khoản", "Created"),
    "renamed": ("Sửa tên, chức vụ", "Renamed"),
    "moved": ("Chuyển địa bàn", "Moved to another area"),
    "disabled": ("Ngừng tài khoản", "Disabled"),
    "enabled": ("Mở lại tài khoản", "Enabled"),
    "password-reset": ("Cấp lại mật khẩu", "Password reset"),
    "code-reset": ("Gỡ xác thực hai bước", "Second factor reset"),
    "signed-out": ("Đăng xuất mọi nơi", "Signed out everywhere"),
    "token-revoked": ("Thu hồi mã truy cập", "Token revoked"),
    "granted": ("Cấp vai trò", "Role granted"),
    "revoked": ("Thu hồi vai trò", "Role revoked"),
    "handed-over": ("Bàn giao quản trị", "Administration handed over"),
    "group-made": ("Lập nhóm", "Group made"),
    "group-renamed": ("Đổi tên nhóm", "Group renamed"),
    "group-dissolved": ("Giải thể nhóm", "Group dissolved"),
    "joined": ("Thêm vào nhóm", "Joined a group"),
    "left": ("Đưa ra khỏi nhóm", "Left a group"),
    "own-password": ("Đổi mật khẩu của mình", "Own password changed"),
    "own-code-begun": ("Tạo mã QR xác thực", "QR code of a second factor made"),
    "own-code-on": ("Bật xác thực hai bước", "Second factor set up"),
    "own-code-off": ("Tắt xác thực hai bước", "Second factor removed"),
    "own-signed-out": ("Đăng xuất ở nơi khác", "Signed out elsewhere"),
    "token-made": ("Tạo mã truy cập", "Token made"),
    "code-asked": ("Hỏi mã xác thực", "Code asked for"),
}
"""Every change by the word that entries of the log keep as their reason."""


@dataclass(frozen=True)
class Told:
    """The reason of an entry of the log: which change, and its details."""

    change: str
    details: str = ""

    def __str__(self) -> str:
        return f"{self.change}: {self.details}" if self.details else self.change

    @classmethod
    def read(cls, reason: str) -> "Told | None":
        """The change that a reason tells of; None when it tells of something else."""
        change, _, details = reason.partition(": ")
        return cls(change, details) if change in WORDS else None


def _sign_out(conn: Connection, by: User | None, account_id: int) -> None:
    found = store.get(conn, account_id)
    delegation.check_change(by, account_id, found.home, found.places)
    ending.end_sessions(conn, account_id)


ACTS: dict[str, Act] = {
    "disabled": store.disable,
    "enabled": store.enable,
    "password-reset": credentials.reset_password,
    "code-reset": totp.reset,
    "signed-out": _sign_out,
}
"""The changes that need nothing but the account."""
