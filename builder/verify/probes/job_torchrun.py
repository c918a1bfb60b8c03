"""torchrun, ending with the exit code of the rank that failed first; torchrun's own is 1 whatever happened."""

import sys

sys.dont_write_bytecode = True
sys.path[:] = sys.path[1:]  # the probes' own folder, whose names must not shadow a project's modules


def code_of(failure):
    """A rank's exit code as a shell would give it: 128 + the signal for one that was killed."""
    return failure.exitcode if failure.exitcode > 0 else 128 - failure.exitcode


def main(arguments):
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main as torchrun

    try:
        torchrun(arguments)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        code = code_of(failure)
        sys.stdout.write("wsb: rank %d ended with exit code %d\n" % (rank, code))
        sys.stdout.flush()
        return code
    except SignalException as error:
        return 128 + int(error.sigval)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
