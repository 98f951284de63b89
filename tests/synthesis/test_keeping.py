"""States of items on the disk: compact, whole after a cut at any byte, and never those of another machine."""

from lab.core.checkpoints import Checkpoints
from lab.synthesis.keeping import KeptStates, origin
from lab.synthesis.spending import RoleSpent, Spent
from tests.synthesis.steps import StepsState

FIRST = StepsState(id="a", text="a question")


def grown(n):
    return FIRST.model_copy(update={"said": tuple(f"reply {place} " * 50 for place in range(n)), "n_asked": n})


def opened(folder, mark="m"):
    return KeptStates(Checkpoints(folder), "steps", mark)


def written(folder, n=10):
    kept = opened(folder)
    assert kept.found(FIRST) is None
    kept.begin()
    for place in range(n):
        kept.add(FIRST, grown(place), grown(place + 1))
        kept.flush()
    kept.note(Spent(n_requests=n, by_role={"teacher": RoleSpent(n_requests=n)}))
    kept.close()
    return folder / "states-steps.jsonl"


def test_a_state_comes_back_as_it_was_with_what_was_spent(tmp_path):
    written(tmp_path)
    kept = opened(tmp_path)
    assert kept.found(FIRST) == grown(10) and kept.spent.by_role["teacher"].n_requests == 10


def test_what_grows_is_written_once(tmp_path):
    size = written(tmp_path).stat().st_size
    assert size < 1.5 * len(grown(10).model_dump_json())


def test_the_next_attempt_writes_a_line_an_item(tmp_path):
    path = written(tmp_path)
    kept = opened(tmp_path)
    kept.found(FIRST)
    kept.begin()
    kept.close()
    assert len(path.read_text().splitlines()) == 3 and opened(tmp_path).found(FIRST) == grown(10)


def test_a_cut_at_any_byte_does_no_harm(tmp_path):
    path = written(tmp_path, 3)
    whole = path.read_bytes()
    for size in range(0, len(whole), 31):
        path.write_bytes(whole[:size])
        state = opened(tmp_path).found(FIRST)
        assert state is None or state in [grown(n) for n in range(4)]


def test_bytes_that_are_no_line_end_the_reading(tmp_path):
    path = written(tmp_path, 3)
    path.write_bytes(path.read_bytes() + b"\xff\xfe{\n" + b'{"id":"a","set":{"text":"x"}}\n')
    assert opened(tmp_path).found(FIRST) == grown(3)


def test_another_mark_another_text_or_another_form_is_begun_again(tmp_path):
    class Other(StepsState):
        level: int

    written(tmp_path)
    assert opened(tmp_path, "other").found(FIRST) is None
    changed = FIRST.model_copy(update={"text": "another"})
    assert opened(tmp_path).found(changed) is None and origin(changed) != origin(FIRST)
    path = tmp_path / "states-steps.jsonl"
    other = Other(id="a", text="a question", level=1)
    path.write_text(path.read_text().replace(origin(FIRST), origin(other)))
    assert opened(tmp_path).found(other) is None


def test_the_queue_sees_by_a_checkpoint_how_far_it_got(tmp_path):
    written(tmp_path, 4)
    assert Checkpoints(tmp_path).last_whole().step == 4
    kept = opened(tmp_path)
    kept.begin()
    kept.add(FIRST, FIRST, grown(1))
    kept.close()
    assert Checkpoints(tmp_path).last_whole().step == 5
