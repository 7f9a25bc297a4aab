"""What else is acknowledged while chaos goes on: households, sites, and an auditor's decisions."""

import json
import threading
import traceback
import urllib.parse
import urllib.request
from http.client import HTTPException
from uuid import uuid4

from sqlalchemy import Connection, func, select

from geo.audit_tables import audit_decision, audit_item
from geo.tables import household, site
from tests.served import Enumerator, Row, Served, send, token

_REST_S = 0.3
_HOUSEHOLD = ("household_code", "head_name", "members", "commune_code")
_SITE = ("site_code", "household_code", "kind", "cost_planned", "commune_code")


class Desk:
    """An officer who sends households and sites and an auditor who decides, in one commune."""

    def __init__(self, service: Served, who: Enumerator) -> None:
        self._service, self._who = service, who
        self._officer = token(service, f"officer@{who.commune}", "records.send")
        self._auditor = token(service, f"auditor@{who.commune}", "records.read", "audit.decide")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work_or_tell, name="desk")
        self.households: dict[str, Row] = {}
        self.sites: dict[str, Row] = {}
        self.decisions: dict[str, str] = {}
        """The survey or site that was decided about, by the decision's reason."""
        self.refused: list[str] = []
        self.died = ""

    def __enter__(self) -> "Desk":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def wait_for_each(self, within_s: float = 120) -> str:
        """Wait until one more of each kind is acknowledged; what was not, '' when all was."""
        kinds = {"household": self.households, "site": self.sites, "decision": self.decisions}
        before = {kind: len(told) for kind, told in kinds.items()}
        left = within_s
        while missing := [kind for kind, told in kinds.items() if len(told) <= before[kind]]:
            if self.died or left <= 0:
                return f"no {' and no '.join(missing)} was acknowledged in {within_s:.0f} s"
            threading.Event().wait(0.2)
            left -= 0.2
        return ""

    def _work_or_tell(self) -> None:
        try:
            number = 0
            while not self._stop.is_set():
                number += 1
                self._send_records(number)
                self._decide_one()
                self._stop.wait(_REST_S)
        except Exception:  # noqa: BLE001 - judged with the run
            self.died = f"the desk died:\n{traceback.format_exc()}"

    def _send_records(self, number: int) -> None:
        code = f"C{self._who.commune}-{number}"
        home: Row = {
            "household_code": code,
            "head_name": f"Lò Văn {number}",
            "recorded_address": "Thôn 3",
            "commune_code": self._who.commune,
            "members": number % 9 + 1,
        }
        house: Row = {
            "site_code": f"S{code}",
            "household_code": code,
            "kind": "repair",
            "commune_code": self._who.commune,
            "cost_planned": 30_000_000 + number,
        }
        if self._until_sure(self._officer, "households", home, (200, 201)):
            self.households[code] = home
        if self._until_sure(self._officer, "sites", house, (200, 201)):
            self.sites[str(house["site_code"])] = house

    def _decide_one(self) -> None:
        try:
            found = self._open_case()
        except (OSError, HTTPException, ValueError):
            return  # nothing was asked for that must be kept
        if found is None:
            return
        named = ("subject", "province_code", "commune_code", "subject_id")
        reason = f"Đã gọi điện hỏi lại hộ {uuid4()}"
        asked: Row = {
            "decision": "explained",
            "reason": reason,
            "subjects": [{k: found[k] for k in named} | {"seen": found["last_decision_id"]}],
        }
        # Who got no answer asks again; 409 says that the first one was stored.
        if self._until_sure(self._auditor, "audit/decisions", asked, (200, 409)):
            self.decisions[reason] = str(found["subject_id"])

    def _open_case(self) -> Row | None:
        query = urllib.parse.urlencode({"area": self._who.commune, "state": "open", "limit": 1})
        asked = urllib.request.Request(
            f"{self._service.url}/api/v1/audit?{query}",
            headers={"Authorization": f"Bearer {self._auditor}"},
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            items: list[Row] = json.load(answer)["items"]
        return items[0] if items else None

    def _until_sure(self, secret: str, path: str, row: Row, sure: tuple[int, ...]) -> bool:
        """Send it again until it is acknowledged or refused; whether it was acknowledged."""
        while True:
            try:
                status, told = send(self._service.url, secret, row, path=f"/api/v1/{path}")
            except (OSError, HTTPException, ValueError):
                status, told = 503, {}
            if status in sure:
                return True
            if status < 500:
                self.refused.append(f"{path} {status}: {told}")
                return False
            # Ends only with an answer: what is on its way may be stored already.
            threading.Event().wait(_REST_S)

    def problems(self, conn: Connection) -> list[str]:
        """What was acknowledged and is not stored once, as it was sent."""
        found = [f"refused: {one}" for one in sorted(set(self.refused))]
        for table, names, told in (
            (household, _HOUSEHOLD, self.households),
            (site, _SITE, self.sites),
        ):
            key = table.c[names[0]]
            rows = conn.execute(select(*(table.c[name] for name in names)).where(key.in_(told)))
            is_there = sorted(tuple(row) for row in rows)
            wanted = sorted(tuple(row[name] for name in names) for row in told.values())
            found += [f"{table.name} is missing: {one}" for one in wanted if one not in is_there]
            found += [f"{table.name} is too much: {one}" for one in is_there if one not in wanted]
            if len(is_there) != len(set(is_there)):
                found.append(f"{table.name}: something is stored twice")
        return found + self._decisions_missing(conn)

    def _decisions_missing(self, conn: Connection) -> list[str]:
        of = audit_decision.c
        counted = {
            (row.reason, row.subject_id): row.number
            for row in conn.execute(
                select(of.reason, of.subject_id, func.count().label("number"))
                .where(of.reason.in_(self.decisions))
                .group_by(of.reason, of.subject_id)
            )
        }
        found = [
            f"the decision about {subject} was acknowledged and is stored {number} times"
            for reason, subject in self.decisions.items()
            if (number := counted.get((reason, subject), 0)) != 1
        ]
        items = select(audit_item.c.subject_id, audit_item.c.state).where(
            audit_item.c.subject_id.in_(self.decisions.values())
        )
        found += [
            f"{row.subject_id} was decided about and is {row.state}"
            for row in conn.execute(items)
            if row.state != "explained"
        ]
        return found
