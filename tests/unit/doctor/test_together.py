"""Questions asked at once: one that hangs, or fails, holds up no other."""

from __future__ import annotations

import threading

from builder.doctor.together import Question, ask_together
from builder.model.values import Unknown


def test_an_answer_that_does_not_come_is_unknown_and_the_others_are_there() -> None:
    never = threading.Event()
    answers = ask_together({"hangs": Question(ask=never.wait, limit_s=0.05), "answers": Question(ask=lambda: 7, limit_s=30)})
    never.set()
    assert answers["answers"] == 7
    assert answers["hangs"] == Unknown("no answer within 0.05 s")


def test_an_exception_is_an_unknown_with_its_words() -> None:
    def fails() -> None:
        raise OSError("no route")

    assert ask_together({"x": Question(ask=fails, limit_s=30)}) == {"x": Unknown("no route")}
