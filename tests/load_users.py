"""Who loads the service in `make load`: enumerators that send surveys, officers that look around.

For locust: LOAD_PLAN names a file with the tokens, cookies and pages; every acknowledged survey
goes as one line into the file that the plan names.
"""

import json
import os
import random
from pathlib import Path

import gevent
from locust import FastHttpUser, constant_pacing, task
from locust.user.wait_time import between

from tests.served import Enumerator

PLAN = json.loads(Path(os.environ["LOAD_PLAN"]).read_text())
SEND, REPEAT, TILE, RECORD = "survey", "survey again", "tile", "record"
_SURE = (200, 201)
_REPEATED = 0.05


class Sender(FastHttpUser):
    """An enumerator's device: one survey every few seconds, some of them sent once more."""

    fixed_count = len(PLAN["enumerators"])
    wait_time = constant_pacing(PLAN["send_every_s"])

    def on_start(self) -> None:
        told = PLAN["enumerators"].pop()
        self.who = Enumerator(**told)
        self.random = random.Random(self.who.token)
        self.number = self.random.randrange(len(self.who.households))
        self.before: dict[str, object] | None = None
        self.acknowledged = Path(PLAN["acknowledged"]).open("a")  # noqa: SIM115 - until on_stop

    def on_stop(self) -> None:
        self.acknowledged.close()

    @task
    def send(self) -> None:
        if self.before and self.random.random() < _REPEATED:
            self._send(self.before, REPEAT)
            return
        self.number += 1
        row = self.who.survey(self.number)
        while not self._send(row, SEND):
            gevent.sleep(1)  # a device keeps a survey until the service has acknowledged it
        self.before = row

    def _send(self, row: dict[str, object], name: str) -> bool:
        head = {"Authorization": f"Bearer {self.who.token}"}
        answer = self.client.post("/api/v1/surveys", json=row, headers=head, name=name)
        if answer.status_code not in _SURE:
            return False
        self.acknowledged.write(f"{row['survey_id']}\n")
        self.acknowledged.flush()
        return True


class Officer(FastHttpUser):
    """Somebody in a commune's or province's office: a page, its tiles, some thought, the next."""

    fixed_count = len(PLAN["officers"])
    wait_time = between(*PLAN["think_s"])

    def on_start(self) -> None:
        told = PLAN["officers"].pop()
        self.head = {"Cookie": told["cookie"], "Accept-Encoding": "gzip"}
        self.pages, self.tiles = told["pages"], told["tiles"]
        self.random = random.Random(told["cookie"])

    @task(8)
    def page(self) -> None:
        kind = self.random.choice(list(self.pages))
        self.client.get(self.random.choice(self.pages[kind]), headers=self.head, name=kind)

    @task(3)
    def look_at_map(self) -> None:
        for tile in self.random.sample(self.tiles, k=min(6, len(self.tiles))):
            with self.client.get(tile, headers=self.head, name=TILE, catch_response=True) as answer:
                if answer.status_code in (200, 204, 304):
                    answer.success()

    @task(2)
    def records(self) -> None:
        asked = "/api/v1/surveys?limit=20&order=recent"
        self.client.get(asked, headers=self.head, name=RECORD)
