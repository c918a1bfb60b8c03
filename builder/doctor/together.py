"""Several questions at once, each with a time limit: one that hangs is told as such and holds up neither the others nor wsb."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from builder.model.frozen import frozen
from builder.model.values import Unknown


@frozen
class Question:
    """ask: gives the answer, or raises. limit_s: from the start of all."""

    ask: Callable[[], Any]
    limit_s: float


def ask_together(questions: Mapping[str, Question]) -> tuple[dict[str, Any], tuple[tuple[str, float], ...]]:
    """(answer by name, names that did not answer with their limits). An answer is Unknown where it raised or did not come."""
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
        thread.start()
    slow = []
    for name, thread in threads.items():
        limit_s = questions[name].limit_s
        thread.join(max(0.0, began + limit_s - time.monotonic()))
        if thread.is_alive():
            slow.append((name, limit_s))
    given = dict(answers)
    given |= {name: Unknown(f"no answer within {limit_s:g} s") for name, limit_s in slow}
    return given, tuple(slow)
