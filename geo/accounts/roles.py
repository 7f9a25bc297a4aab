"""ROLES and ACTIONS: what an account may do in its areas. `can` is the one place that decides."""

from collections.abc import Iterable
from dataclasses import dataclass

from geo.areas import Area
from geo.scope import Scope


@dataclass(frozen=True)
class Action:
    """Something that people do with the service; `writes` when it changes stored rows."""

    key: str
    vi: str
    en: str
    writes: bool = False


_ALL = (
    Action("figures.read", "Xem số liệu tổng hợp", "See figures"),
    Action("figures.elsewhere", "Xem số liệu địa bàn khác (đã che ô nhỏ)", "See figures elsewhere"),
    Action("records.read", "Xem hộ, phiếu, nhà", "See households, surveys, sites"),
    Action("records.export", "Tải dữ liệu ra tệp", "Export records"),
    Action("surveys.send", "Gửi phiếu rà soát", "Send surveys", writes=True),
    Action("records.send", "Nhập hộ và nhà", "Send households and sites", writes=True),
    Action("ids.read", "Xem đủ số định danh", "See full personal IDs"),
    Action("person.export", "Lập tệp dữ liệu của một hộ", "Export one household's record"),
    Action("person.correct", "Sửa thông tin hộ", "Correct a household", writes=True),
    Action("person.remove", "Xoá thông tin hộ", "Remove a household", writes=True),
    Action(
        "audit.read",
        "Xem hồ sơ điều tra viên và mẫu kiểm chứng",
        "See the audit's people and samples",
    ),
    Action("audit.decide", "Kết luận cảnh báo", "Decide findings", writes=True),
    Action("accounts.manage", "Quản lý tài khoản", "Manage accounts", writes=True),
    Action("log.read", "Xem nhật ký truy cập", "Read the access log"),
)
ACTIONS: dict[str, Action] = {action.key: action for action in _ALL}


@dataclass(frozen=True)
class Role:
    """A set of actions that a person has in an area and in all below it."""

    key: str
    vi: str
    en: str
    actions: frozenset[str]


_LOOK = frozenset({"figures.read", "records.read"})
_ROLES = (
    Role("enumerator", "Điều tra viên", "Enumerator", _LOOK | {"surveys.send"}),
    Role(
        "officer",
        "Cán bộ xã",
        "Officer",
        _LOOK
        | {
            "records.export",
            "surveys.send",
            "records.send",
            "ids.read",
            "person.export",
            "person.correct",
            "person.remove",
        },
    ),
    Role("supervisor", "Giám sát", "Supervisor", _LOOK | {"records.export", "audit.read"}),
    Role(
        "auditor",
        "Kiểm tra viên",
        "Auditor",
        _LOOK | {"records.export", "ids.read", "audit.read", "audit.decide"},
    ),
    Role(
        "planner", "Người lập kế hoạch", "Planner", frozenset({"figures.read", "figures.elsewhere"})
    ),
    Role("administrator", "Quản trị", "Administrator", frozenset({"accounts.manage", "log.read"})),
)
ROLES: dict[str, Role] = {role.key: role for role in _ROLES}
ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Assignment:
    """One role in one area; province_code None for the country, commune_code '' above a commune."""

    role: str
    area_code: str
    province_code: str | None
    commune_code: str = ""


@dataclass(frozen=True)
class User:
    """Who asks: an account with its assignments, as they are at this request.

    limited_to: the actions that a token was made for; None when all of the account's hold.
    """

    account_id: int
    login: str
    full_name: str
    assignments: tuple[Assignment, ...]
    home_code: str
    limited_to: frozenset[str] | None = None

    def may(self, action: str) -> bool:
        """Whether the user may do the action anywhere."""
        return any(_grants(self, one, action) for one in self.assignments)


def can(user: User, action: str, area: Area) -> bool:
    """Whether the user may do the action in all of `area` (a present area); KeyError if unknown."""
    return reach(user, action).covers(area.province_code, area.commune_code)


def reach(user: User, action: str) -> Scope:
    """The areas where the user may do the action, as the scope of a transaction for it."""
    held = [one for one in user.assignments if _grants(user, one, action)]
    return Scope(
        everything=any(one.province_code is None for one in held),
        provinces=frozenset(
            one.province_code for one in held if one.province_code and not one.commune_code
        ),
        communes=frozenset(one.commune_code for one in held if one.commune_code),
        write=ACTIONS[action].writes and bool(held),
        action=action,
        account_id=user.account_id,
        figures_elsewhere=action == "figures.read" and user.may("figures.elsewhere"),
    )


def assignment(role: str, area: Area) -> Assignment:
    """The role in a present area."""
    province = None if area.level == "country" else area.province_code
    return Assignment(role, area.code, province, area.commune_code)


def held_by(assignments: Iterable[Assignment], role: str) -> list[Assignment]:
    """The assignments of one role."""
    return [one for one in assignments if one.role == role]


def _grants(user: User, one: Assignment, action: str) -> bool:
    if action not in ACTIONS:
        raise KeyError(action)
    allowed = user.limited_to is None or action in user.limited_to
    return allowed and action in ROLES[one.role].actions
