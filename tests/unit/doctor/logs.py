"""Pieces of logs for the tests of the doctor."""

from __future__ import annotations

from builder.doctor.diagnose import diagnose_text


def ordinary(count: int = 200) -> list[str]:
    """Lines of a training run that goes well, the word "error" in many of them."""
    lines: list[str] = []
    for epoch in range(count // 8 + 1):
        lines += [
            f"2026-11-24 10:{epoch % 60:02d}:00,123 - train - INFO - Epoch {epoch}/25 started",
            f"Epoch {epoch}:  45%|████▌     | 45/100 [00:12<00:15,  3.61it/s, loss=0.{epoch}12, error=0.0{epoch}]",
            "/opt/conda/lib/python3.11/site-packages/torch/optim/lr_scheduler.py:143: UserWarning: Detected call of `step()`.",
            '  warnings.warn("Detected call of `lr_scheduler.step()`", UserWarning)',
            f"val_loss: 0.{epoch}, mean_absolute_error: 0.2, 0 errors",
            f"step {epoch * 100}: loss 1.{epoch}  lr 3e-4  grad_norm 0.9  12.3k tok/s",
            "Saving model checkpoint to output/checkpoint-500",
            "Configuration saved in output/checkpoint-500/config.json",
        ]
    return lines[:count]


def embedded(text: str, at: int = 100) -> str:
    """The text in the middle of 200 ordinary lines; its first line is number at + 1."""
    lines = ordinary()
    return "\n".join([*lines[:at], *text.split("\n"), *lines[at:]])


def ids(text: str) -> list[str]:
    """The ids of what is found, the cause first."""
    return [finding.id for finding in diagnose_text(text).findings]


def unknown(text: str) -> list[str]:
    """The errors that nobody knows."""
    return [error.text for error in diagnose_text(text).unknown]
