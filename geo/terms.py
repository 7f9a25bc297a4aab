"""Official terms for the codes that records hold: (Vietnamese, English), one wording everywhere."""

Term = tuple[str, str]

VERDICT_TERMS: dict[str, Term] = {
    "inside": ("Khớp địa bàn", "Inside"),
    "uncertain": ("Chưa chắc chắn", "Uncertain"),
    "outside": ("Lệch địa bàn", "Outside"),
    "unlocated": ("Chưa định vị", "Unlocated"),
}
STATUS_TERMS: dict[str, Term] = {
    "poor": ("Hộ nghèo", "Poor"),
    "near_poor": ("Hộ cận nghèo", "Near-poor"),
    "average": ("Mức sống trung bình", "Average living standard"),
    "none": ("Không thuộc diện", "None of these"),
}
KIND_TERMS: dict[str, Term] = {
    "new": ("Xây mới", "New house"),
    "repair": ("Sửa chữa", "Repair"),
}
STAGE_TERMS: dict[str, Term] = {
    "proposed": ("Đề xuất", "Proposed"),
    "verified": ("Đã thẩm tra", "Verified"),
    "approved": ("Đã phê duyệt", "Approved"),
    "started": ("Đã khởi công", "Started"),
    "foundation": ("Xong móng", "Foundation done"),
    "frame": ("Xong khung, tường", "Frame and walls done"),
    "roof": ("Xong mái", "Roof done"),
    "completed": ("Hoàn thành", "Completed"),
    "accepted": ("Đã nghiệm thu", "Accepted"),
    "handed_over": ("Đã bàn giao", "Handed over"),
}
# Thông tư 07/2021/TT-BLĐTBXH, phiếu B.
CAUSE_TERMS: dict[str, Term] = {
    "no_land": ("Không có đất sản xuất", "No land to work"),
    "no_capital": ("Không có vốn sản xuất, kinh doanh", "No capital"),
    "no_labour": ("Không có lao động", "No labour"),
    "no_tools": ("Không có công cụ, phương tiện sản xuất", "No tools"),
    "no_production_knowledge": ("Không có kiến thức về sản xuất", "No knowledge of production"),
    "no_labour_skills": ("Không có kỹ năng lao động, sản xuất", "No skills"),
    "illness_or_accident": ("Có người ốm đau, bệnh nặng, tai nạn", "Illness or accident"),
    "other": ("Nguyên nhân khác", "Other"),
}
