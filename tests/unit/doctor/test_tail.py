"""What a command printed last, and what is said of it when it fails."""

from __future__ import annotations

from builder.doctor.tail import Tail, first_cause


def test_only_the_last_part_is_kept() -> None:
    tail = Tail(limit_bytes=10)
    for piece in (b"abcdef", b"ghij", b"klm", b"n"):
        tail(piece)
    assert tail.output == b"efghijklmn"


def test_a_piece_longer_than_the_limit_is_cut() -> None:
    tail = Tail(limit_bytes=4)
    tail(b"abc")
    tail(b"defghij")
    assert tail.output == b"ghij"


def test_a_command_that_went_well_is_not_explained() -> None:
    tail = Tail()
    tail(b"RuntimeError: No CUDA GPUs are available\n")
    assert tail.known_cause(0) is None


def test_a_failed_command_is_explained_across_pieces_of_its_output() -> None:
    tail = Tail()
    tail(b"\x1b[31mRuntimeError: No CUDA GP")
    tail(b"Us are available\x1b[0m\r\n")
    cause = tail.known_cause(1)
    assert cause is not None
    assert cause.id == "no-cuda-gpus"


def test_a_command_that_was_killed_without_a_word_is_explained_by_its_code() -> None:
    cause = Tail().known_cause(137)
    assert cause is not None
    assert cause.id == "killed"


def test_a_notice_explains_no_failure() -> None:
    assert (
        first_cause(
            b"UserWarning: The detected CUDA version (12.4) has a minor version mismatch with the version that was "
            b"used to compile PyTorch (12.1).\nKeyError: 'x'\n"
        )
        is None
    )


def test_a_failure_that_nobody_knows_is_not_explained() -> None:
    tail = Tail()
    tail(b"ValueError: of mine\n")
    assert tail.known_cause(1) is None
