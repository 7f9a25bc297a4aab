"""The keys file and what it seals: made once, for its owner only, and never a wrong one."""

import hashlib
import hmac
import json
import os
import threading
from base64 import b64decode, b64encode

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from api.cli import main
from geo import config
from geo.account_tables import key_check
from geo.accounts import keys, sealing
from geo.errors import UnavailableError, UsageError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "home" / "keys.json"
    assert keys.make(path)
    return path


def test_a_new_file_holds_three_different_keys_for_its_owner_only(file):
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]  # nothing half-written stays behind
    stored = {name: b64decode(value) for name, value in json.loads(file.read_text()).items()}
    assert set(stored) == {"session", "seal", "fingerprint"}
    assert {len(key) for key in stored.values()} == {32}
    assert len(set(stored.values())) == 3
    read = keys.read(file)
    assert {"session": read.session, "seal": read.seal, "fingerprint": read.fingerprint} == stored


def test_keys_do_not_show_in_messages(file):
    assert "session" not in repr(keys.read(file))


def test_a_file_that_stands_there_is_kept(file):
    before = file.read_bytes()
    assert not keys.make(file)
    assert file.read_bytes() == before


def test_of_many_makers_at_once_one_makes_it(tmp_path):
    path, made = tmp_path / "keys.json", []
    start = threading.Barrier(8)

    def work():
        start.wait()
        made.append(keys.make(path))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(made) == [False] * 7 + [True]
    assert list(tmp_path.iterdir()) == [path]
    keys.read(path)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
def test_a_file_open_to_others_is_refused(file, mode):
    file.chmod(mode)
    with pytest.raises(UsageError, match=rf"open to other users.*chmod 600 {file}"):
        keys.read.__wrapped__(file)


KEY = b64encode(b"k" * 32).decode()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        "null",
        json.dumps({"session": KEY, "seal": KEY}),
        json.dumps({"session": KEY, "seal": KEY, "fingerprint": KEY}),  # one key for all
        json.dumps({"session": KEY, "seal": "c2hvcnQ=", "fingerprint": KEY}),
        json.dumps({"session": KEY, "seal": "*" * 44, "fingerprint": KEY}),
        json.dumps({"session": KEY, "seal": 7, "fingerprint": KEY}),
    ],
)
def test_a_damaged_file_is_refused(file, content):
    file.write_text(content)
    with pytest.raises(UsageError, match="is damaged: it must hold session, seal, fingerprint"):
        keys.read.__wrapped__(file)


def test_without_a_file_the_command_that_makes_it_is_named(tmp_path):
    with pytest.raises(UsageError, match="ancu keys make"):
        keys.read(tmp_path / "keys.json")
    with pytest.raises(UsageError, match="cannot be read"):
        keys.read(tmp_path)


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        keys.make(tmp_path / "file" / "keys.json")


def test_the_command_makes_the_file_of_the_settings_once(tmp_path, monkeypatch):
    monkeypatch.setenv("ANCU_KEYS", str(tmp_path / "own.json"))
    monkeypatch.setattr(keys, "settings", config.settings.__wrapped__)
    first = CliRunner().invoke(main, ["keys", "make"])
    assert (first.exit_code, "Keep a copy" in first.output) == (0, True)
    before = (tmp_path / "own.json").read_bytes()
    again = CliRunner().invoke(main, ["keys", "make"])
    assert (again.exit_code, again.output) == (0, "")
    assert (tmp_path / "own.json").read_bytes() == before
    for one in keys.Keys.__dataclass_fields__:
        assert json.loads(before)[one] not in first.output


def test_the_keys_are_in_the_home_unless_the_settings_say_otherwise(tmp_path, monkeypatch):
    monkeypatch.setenv("ANCU_KEYS", "")
    monkeypatch.setenv("ANCU_HOME", str(tmp_path))
    monkeypatch.setattr(keys, "settings", config.settings.__wrapped__)
    assert keys.path() == tmp_path / "keys.json"


@given(st.text(max_size=50), st.text(max_size=20))
def test_what_is_sealed_is_opened_again_with_its_context(plain, context):
    sealed = sealing.seal(plain, context)
    assert sealing.unseal(sealed, context) == plain
    assert sealed != sealing.seal(plain, context)
    assert len(sealed) == 1 + 12 + len(plain.encode()) + 16


def test_many_are_sealed_as_one_is():
    plains, contexts = ["001234567890", "", "001234567890"], ["a", "b", "c"]
    sealed = sealing.seals(plains, contexts)
    opened = [sealing.unseal(*pair) for pair in zip(sealed, contexts, strict=True)]
    assert opened == plains
    assert len({box[1:13] for box in sealed}) == 3  # no nonce twice


def test_a_sealed_value_is_of_use_in_its_place_only():
    sealed = sealing.seal("001234567890", "household 01 00004 H1")
    with pytest.raises(UnavailableError, match="cannot be opened"):
        sealing.unseal(sealed, "household 01 00004 H2")


@pytest.mark.parametrize("at", range(0, 1 + 12 + 12 + 16, 4))
def test_every_changed_byte_is_noticed(at):
    sealed = bytearray(sealing.seal("001234567890", "x"))
    sealed[at] ^= 1
    with pytest.raises(UnavailableError, match="cannot be opened"):
        sealing.unseal(bytes(sealed), "x")


@pytest.mark.parametrize("rest", [b"", b"\x01", b"\x01" + b"n" * 12, b"\x02" + b"n" * 40])
def test_what_was_never_sealed_is_refused(rest):
    with pytest.raises(UnavailableError, match="cannot be opened"):
        sealing.unseal(rest, "x")


def test_a_fingerprint_is_a_keyed_hash_that_depends_on_the_text_alone():
    found = sealing.fingerprints(["001234567890", "001234567891", "001234567890"])
    assert found[0] == found[2] == sealing.fingerprint("001234567890") != found[1]
    wanted = hmac.new(keys.keys().fingerprint, b"001234567890", hashlib.sha256).digest()[:16]
    assert found[0] == wanted


def test_a_database_remembers_its_keys_and_refuses_others(conn, tmp_path, monkeypatch):
    sealing.check_keys(conn)
    sealing.check_keys(conn)
    assert conn.execute(select(func.count()).select_from(key_check)).scalar_one() == 2
    other = tmp_path / "other.json"
    keys.make(other)
    monkeypatch.setattr(keys, "path", lambda: other)
    with pytest.raises(UsageError, match="not the one that this database was used with"):
        sealing.check_keys(conn)


def test_a_renewed_session_key_is_no_other_keys_file(conn, tmp_path, monkeypatch):
    sealing.check_keys(conn)
    stored = json.loads(keys.path().read_text())
    renewed = tmp_path / "renewed.json"
    renewed.touch(mode=0o600)
    renewed.write_text(json.dumps(stored | {"session": b64encode(os.urandom(32)).decode()}))
    monkeypatch.setattr(keys, "path", lambda: renewed)
    sealing.check_keys(conn)


def test_what_the_database_keeps_of_the_keys_gives_none_away(conn):
    sealing.check_keys(conn)
    stored = {bytes(row.check_value) for row in conn.execute(select(key_check))}
    ours = keys.keys()
    assert not stored & {ours.seal, ours.fingerprint}
    assert hashlib.sha256(ours.seal).digest() not in stored
