"""Bang's index of each face from (guess, truth)."""

from __future__ import annotations

import pytest

from lab.rating.blinding_results import Guess, blinding


def test_each_face_has_the_index_of_the_guesses_about_it():
    guesses = [("trace", "trace")] * 8 + [("base", "trace")] * 2 + [("unsure", "trace")] * 10 + [("trace", "base")] * 5
    base, trace = blinding(guesses, ("base", "trace"))
    assert (trace.face, trace.n, trace.n_right, trace.n_wrong, trace.n_unsure) == ("trace", 20, 8, 2, 10)
    assert trace.index == pytest.approx(0.3) and trace.low < 0.3 < trace.high
    assert base.index == -1 and base.n == 5 and base.high > -1


def test_guesses_of_one_rater_hang_together():
    guesses = [Guess("trace" if rater < 7 else "base", "trace", f"R{rater}") for rater in range(10) for _ in range(4)]
    (together,), (alone,) = blinding(guesses, ("trace",)), blinding([guess[:2] for guess in guesses], ("trace",))
    assert together.index == alone.index and together.high - together.low > 1.5 * (alone.high - alone.low)


def test_a_face_without_guesses_is_left_out_and_an_unknown_one_is_a_fault():
    assert blinding([], ("base", "trace")) == ()
    with pytest.raises(ValueError, match="steps"):
        blinding([("base", "steps")], ("base", "trace"))
