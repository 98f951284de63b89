"""The cache of replies: keyed by all that matters, shared by processes, whole after a kill, never written over."""

import multiprocessing
import os
import signal
import sqlite3

import pytest

from lab.core.errors import LabError
from lab.synthesis.cache import Kept, ReplyCache, cache_path, request_key
from lab.synthesis.machine import Ask, Reply

ASK = Ask(role="teacher", prompt="think", messages=({"role": "user", "content": "Why?"},), max_new_tokens=9, seed=1)


def kept(key=b"k", text="because", job="j", **facts):
    return Kept(key, Reply(text=text, n_prompt_tokens=3, n_completion_tokens=2), "big", job, "teacher", **facts)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "replies.sqlite"


def test_it_lies_in_the_home_of_the_lab(tmp_path, monkeypatch):
    monkeypatch.setenv("LAB_HOME", str(tmp_path))
    assert cache_path() == tmp_path / "cache" / "replies.sqlite"


def test_a_reply_comes_back_as_it_was_and_what_is_not_there_is_none(path):
    cache, reply = ReplyCache(path), Reply(text="ä\u2028 \x00 𝕏", think="hm", finish="length", seconds=1.5)
    cache.put([Kept(b"k", reply, "big", "j", "teacher")])
    assert cache.get(b"k") == reply and cache.get(b"other") is None and len(cache) == 1
    cache.close()
    assert ReplyCache(path).get(b"k") == reply


def test_the_first_of_two_replies_to_one_request_stays(path):
    cache = ReplyCache(path)
    cache.put([kept()])
    cache.put([kept(text="another"), kept(b"other")])
    assert cache.get(b"k").text == "because" and len(cache) == 2


@pytest.mark.parametrize("change", [
    {"messages": ({"role": "user", "content": "Why not?"},)}, {"messages": ({"role": "system", "content": "Why?"},)},
    {"max_new_tokens": 10}, {"temperature": 0.1}, {"top_p": 0.5}, {"seed": 2},
])
def test_everything_that_decides_a_reply_is_in_the_key(change):
    assert request_key("me", ASK) != request_key("me", ASK.model_copy(update=change))


def test_who_answers_is_in_the_key_and_what_it_is_asked_as_is_not():
    assert request_key("me", ASK) != request_key("you", ASK) != request_key("you", ASK, "salt")
    assert request_key("me", ASK) == request_key("me", ASK.model_copy(update={"role": "judge", "prompt": "x"}))


def test_what_a_job_has_paid_is_known_by_role(path):
    cache = ReplyCache(path)
    cache.put([kept(b"1"), kept(b"2", told=False), kept(b"3", job="other")])
    assert cache.paid("j") == {"teacher": (2, 1, 6, 4)} and cache.paid("nobody") == {}


@pytest.mark.parametrize("content", [b"no database, but long enough to be looked at" * 50, b"SQLite format 3\0x"])
def test_a_file_that_is_none_of_ours_is_named_and_left_alone(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(LabError, match=r"replies.sqlite.*move it away"):
        ReplyCache(path)
    assert path.read_bytes() == content


def test_another_database_or_version_is_named_and_left_alone(path):
    path.parent.mkdir()
    store = sqlite3.connect(path)
    store.execute("CREATE TABLE mine (x)")
    store.commit()
    with pytest.raises(LabError, match="another database"):
        ReplyCache(path)
    assert store.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)
    store.close()
    path.unlink()
    ReplyCache(path).close()
    store = sqlite3.connect(path)
    store.execute("PRAGMA user_version = 99")
    store.commit()
    with pytest.raises(LabError, match="another version"):
        ReplyCache(path)


def test_a_reply_that_is_broken_is_told(path):
    cache = ReplyCache(path)
    cache.put([kept()])
    sqlite3.connect(path, isolation_level=None).execute("UPDATE replies SET reply = '{'")
    with pytest.raises(LabError, match="broken"):
        cache.get(b"k")


def _write(path, name, n, report):
    cache = ReplyCache(path)
    for place in range(n):
        cache.put([kept(f"{name}/{place}".encode(), name)])
        report.send(place)


def test_several_processes_make_it_and_write_into_it_at_once(path):
    context = multiprocessing.get_context("fork")
    writers = []
    for name in "abcd":
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_write, args=(path, name, 50, there))
        process.start()
        writers.append((process, here))
    for process, _ in writers:
        process.join(60)
        assert process.exitcode == 0
    assert len(ReplyCache(path)) == 200


def test_what_was_put_is_there_after_a_kill(path):
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_write, args=(path, "a", 10**6, there))
    process.start()
    there.close()
    last = -1
    while last < 200:
        last = here.recv()
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    try:
        while True:
            last = here.recv()
    except EOFError:
        pass
    cache = ReplyCache(path)
    assert all(cache.get(f"a/{place}".encode()) for place in range(last + 1))
