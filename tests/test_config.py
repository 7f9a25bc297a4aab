"""Settings from the environment: defaults, empty variables, and values that cannot be used."""

import pytest

from geo import config
from geo.errors import UsageError


@pytest.fixture
def environment(monkeypatch):
    """Set variables and read the settings anew; the process's own settings stay untouched."""

    def read(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return config.settings.__wrapped__()

    return read


def test_an_empty_variable_counts_as_unset(environment):
    read = environment(ANCU_BOUNDARIES="", DATABASE_URL="", ANCU_PORT="", ANCU_DEMO="")
    assert (read.boundaries, read.database_url, read.port, read.demo) == (None, None, 8000, True)


def test_trusted_hosts_are_names_and_addresses_as_browsers_send_them(environment):
    read = environment(ANCU_TRUSTED_HOSTS=" AnCu.example.gov.vn, may-chu,10.0.0.5,, 2001:DB8:0::1,")
    assert read.hosts == {"ancu.example.gov.vn", "may-chu", "10.0.0.5", "2001:db8::1"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ANCU_TRUSTED_HOSTS", "https://ancu.example.gov.vn"),
        ("ANCU_TRUSTED_HOSTS", "ancu.example.gov.vn:8000"),
        ("ANCU_TRUSTED_HOSTS", "ancu.example.gov.vn/"),
        ("ANCU_TRUSTED_HOSTS", "good.example, *"),
        ("ANCU_TRUSTED_HOSTS", "*.example.gov.vn"),
        ("ANCU_TRUSTED_HOSTS", "a.example b.example"),
        ("ANCU_TRUSTED_HOSTS", "a..example"),
        ("ANCU_TRUSTED_HOSTS", "-a.example"),
        ("ANCU_TRUSTED_HOSTS", "300.1.1.1"),
        ("ANCU_TRUSTED_HOSTS", "[::1]"),
        ("ANCU_PORT", "70000"),
        ("ANCU_PORT", "eighty"),
        ("ANCU_WORKERS", "0"),
        ("ANCU_DEMO", "perhaps"),
        ("ANCU_INSIDE_PROBABILITY", "0.4"),
        ("ANCU_OUTSIDE_PROBABILITY", "1"),
        ("ANCU_ASSUMED_ACCURACY_M", "-5"),
    ],
)
def test_a_value_that_cannot_be_used_names_its_variable(environment, name, value):
    with pytest.raises(UsageError, match=name):
        environment(**{name: value})
