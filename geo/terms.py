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
