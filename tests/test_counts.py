"""What the limits on requests count: windows begin, end and are forgotten."""

import threading

import pytest
from limits import parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from api import counts


@pytest.fixture
def clock(monkeypatch):
    now = [1_000_000.0]
    monkeypatch.setattr(counts, "time", lambda: now[0])
    return now


def test_a_window_counts_until_it_is_over(clock):
    kept = storage_from_string("counts://")
    assert [kept.incr("a", 60), kept.incr("a", 60, 3), kept.incr("b", 60)] == [1, 4, 1]
    assert (kept.get("a"), kept.get_expiry("a")) == (4, 1_000_060.0)
    clock[0] += 59.9
    assert kept.get("a") == 4
    clock[0] += 0.1
    assert (kept.get("a"), kept.incr("a", 60), kept.get_expiry("a")) == (0, 1, 1_000_120.0)


def test_what_is_over_is_forgotten_with_time(clock):
    kept = counts.Counts()
    for i in range(50):
        kept.incr(f"k{i}", 30)
    clock[0] += 60
    kept.incr("new", 30)
    assert kept.reset() == 1
    assert kept.get_expiry("new") == clock[0]


def test_the_limit_is_reached_once_for_all_threads():
    kept = counts.Counts()
    limiter, limit = FixedWindowRateLimiter(kept), parse("100 per hour")
    allowed = []
    threads = [
        threading.Thread(target=lambda: allowed.extend(limiter.hit(limit, "x") for _ in range(50)))
        for _ in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (sum(allowed), len(allowed)) == (100, 200)
    limiter.clear(limit, "x")
    assert limiter.hit(limit, "x")
