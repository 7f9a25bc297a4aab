"""The words that demo data are made of; invented people, real customs of naming."""

SURNAMES = {
    "Kinh": ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô"),
    "Tày": ("Nông", "Hoàng", "Ma", "Hứa", "Triệu", "Bế", "Lý", "Quan", "Chẩu", "Nguyễn"),
    "Nùng": ("Nông", "Lương", "Hoàng", "Vi", "Lục", "Mông", "Long", "Chu"),
    "Mông": ("Giàng", "Vàng", "Thào", "Sùng", "Lầu", "Mua", "Ly", "Hầu", "Cứ", "Vừ"),
    "Dao": ("Triệu", "Bàn", "Đặng", "Phàn", "Lý", "Chảo", "Tẩn", "Phùng"),
    "Sán Dìu": ("Trương", "Diệp", "Lưu", "Ninh", "Từ", "Tống"),
    "La Chí": ("Vương", "Lùng", "Long", "Ly", "Tận"),
    "Pà Thẻn": ("Phù", "Sìn", "Ván", "Húng", "Tẩn"),
    "Pa Cô": ("Hồ", "Viên", "Ra Pát", "Quỳnh"),
    "Tà Ôi": ("Hồ", "Trần", "Lê", "A Viết", "Ra Pát"),
    "Cơ Tu": ("Hồ", "Bhling", "Alăng", "Trần", "Nguyễn"),
}
"""Ethnic group → surnames."""

MEN = {
    "Mông": ("Mí Sính", "Mí Pó", "A Dơ", "Chá Súng", "Mí Lử", "A Páo", "Seo Chứ", "Mí Vừ"),
    "Dao": ("Văn Phúc", "Tòn Phin", "Chàn Quyên", "Văn Tá", "Tiến Minh", "Hữu Sinh"),
    "": (
        "Văn Hùng",
        "Văn Sơn",
        "Đình Thắng",
        "Quốc Khánh",
        "Văn Lâm",
        "Hữu Nghĩa",
        "Minh Đức",
        "Văn Tuấn",
        "Xuân Hoà",
        "Ngọc Quý",
        "Thanh Bình",
        "Văn Páo",
        "Đức Thuý",
        "Văn Chiến",
    ),
}
WOMEN = {
    "Mông": ("Thị Mỷ", "Thị Dính", "Thị Say", "Thị Chở", "Thị Máy", "Thị Pà"),
    "Dao": ("Thị Mùi", "Mùi Chiều", "Thị Pham", "Tà Mẩy", "Thị Ghển"),
    "": (
        "Thị Hoa",
        "Thị Lan",
        "Thị Hạnh",
        "Thị Thuỷ",
        "Thị Nguyệt",
        "Thị Yến",
        "Thị Hoà",
        "Thị Phượng",
        "Thị Kiều",
        "Thị Quyên",
        "Thị Mười",
        "Thị Xuân",
        "Thị Điềm",
        "Thị Ngọc",
    ),
}
"""Ethnic group → middle and given names; "" for the others."""

GROUPS = {
    "19": {"Kinh": 6, "Tày": 4, "Nùng": 3, "Dao": 2, "Sán Dìu": 2, "Mông": 1},
    "46": {"Kinh": 8, "Pa Cô": 1, "Tà Ôi": 1, "Cơ Tu": 1},
    "08": {"Tày": 4, "Mông": 4, "Dao": 3, "Kinh": 3, "Nùng": 2, "La Chí": 1, "Pà Thẻn": 1},
    "": {"Kinh": 8, "Tày": 1, "Nùng": 1},
}
"""Province → weights of the groups that a commune's majority may be; "" for the others."""

HAMLET_KINDS = {"46": ("Thôn", "Thôn", "Xóm"), "": ("Thôn", "Xóm", "Bản", "Thôn")}
HAMLETS = (
    "Đồng Tâm",
    "Nà Mạ",
    "Bản Cuôn",
    "Khuổi Luông",
    "Tân Lập",
    "Nà Pài",
    "Lũng Vài",
    "Quyết Tiến",
    "Đoàn Kết",
    "Nà Khoang",
    "Phìn Tỷ",
    "Trung Tâm",
    "Cao Sơn",
    "Bình Minh",
    "Hợp Nhất",
    "Tả Lùng",
)
STREETS = ("Lê Lợi", "Trần Phú", "Hùng Vương", "Nguyễn Huệ", "Bà Triệu", "Lý Thường Kiệt")

UNKNOWN_ADDRESSES = (
    "không rõ",
    "chưa có địa chỉ",
    "ở cùng bố mẹ đẻ",
    "tạm trú theo chủ rừng",
    "nhà sau chợ cũ",
    "???",
)

STREAMS = ("người có công", "chương trình mục tiêu quốc gia", "phong trào xoá nhà tạm")

SHORT_KINDS = {
    "Xã": "X.",
    "Phường": "P.",
    "Thị trấn": "TT.",
    "Đặc khu": "ĐK.",
    "Huyện": "H.",
    "Quận": "Q.",
    "Thị xã": "TX.",
    "Thành phố": "TP.",
    "Tỉnh": "T.",
}

OTHER_TONE_PLACE = {
    r"oá\b": "óa",
    r"oà\b": "òa",
    r"oả\b": "ỏa",
    r"oạ\b": "ọa",
    r"uý\b": "úy",
    r"uỳ\b": "ùy",
    r"uỷ\b": "ủy",
    r"uỵ\b": "ụy",
}
"""Ends of words with the tone mark on the last vowel → on the one before it."""
