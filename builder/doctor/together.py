"""Several questions at once, each with a time limit: one that hangs is told as such and holds up neither the others nor wsb."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from builder.model.frozen import frozen
from builder.model.values import Unknown
from builder.threads import start_deaf


@frozen
class Question:
    """ask: gives the answer, or raises. limit_s: from the start of all."""

    ask: Callable[[], Any]
    limit_s: float


def ask_together(questions: Mapping[str, Question]) -> dict[str, Any]:
    """The answers by name; Unknown where one raised or did not come in its time."""
    answers: dict[str, Any] = {}

    def answer(name: str, ask: Callable[[], Any]) -> None:
        try:
            answers[name] = ask()
        except Exception as error:
            answers[name] = Unknown(str(error) or type(error).__name__)

    began = time.monotonic()
    # daemons: the interpreter does not wait for the one that hangs, as it would for a pool's
    threads = {
        name: threading.Thread(target=answer, args=(name, question.ask), name=f"wsb-{name}", daemon=True)
        for name, question in questions.items()
    }
    for thread in threads.values():
        start_deaf(thread)
    for name, thread in threads.items():
        limit_s = questions[name].limit_s
        thread.join(max(0.0, began + limit_s - time.monotonic()))
    late = {
        name: Unknown(f"no answer within {questions[name].limit_s:g} s")
        for name, thread in threads.items()
        if thread.is_alive()
    }
    return {**answers, **late}
