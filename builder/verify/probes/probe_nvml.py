"""NVML through ctypes: what the driver tells inside this container, without any Python package."""

import ctypes

from probe_gpu import library

GPU_IS_LOST = 15


class Broken(Exception):
    """NVML is there and does not answer."""


class Card:
    """One GPU. uuid: as nvidia-smi shows it. ecc_errors: uncorrected, None where the card has no ECC."""

    def __init__(self, name, uuid, memory_mib, free_mib, is_mig_on, ecc_errors):
        self.name = name
        self.uuid = uuid
        self.memory_mib = memory_mib
        self.free_mib = free_mib
        self.is_mig_on = is_mig_on
        self.ecc_errors = ecc_errors


class Told:
    """driver: such as 550.54.15. cuda: (12, 4), what the driver offers. lost: sentences on cards that do not answer."""

    def __init__(self, driver, cuda, cards, lost):
        self.driver = driver
        self.cuda = cuda
        self.cards = cards
        self.lost = lost


class Memory(ctypes.Structure):
    _fields_ = [("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong)]


def ask():
    """What NVML tells. Raises OSError when it is not in this container, Broken when it does not start."""
    nvml, why = library("libnvidia-ml.so.1")
    if nvml is None:
        raise OSError(why)
    code = nvml.nvmlInit_v2()
    if code:
        raise Broken(said(nvml, code))
    try:
        number, version = ctypes.c_int(0), ctypes.c_uint(0)
        nvml.nvmlSystemGetCudaDriverVersion(ctypes.byref(number))
        code = nvml.nvmlDeviceGetCount_v2(ctypes.byref(version))
        if code:
            raise Broken(said(nvml, code))
        cards, lost = [], []
        for index in range(version.value):
            card = one(nvml, index)
            (lost if isinstance(card, str) else cards).append(card)
        cuda = (number.value // 1000, number.value % 1000 // 10) if number.value else None
        return Told(text(nvml, "nvmlSystemGetDriverVersion"), cuda, cards, lost)
    finally:
        nvml.nvmlShutdown()


def one(nvml, index):
    """A Card, or a sentence on why it does not answer."""
    handle = ctypes.c_void_p()
    code = nvml.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(handle))
    if code:
        return "GPU %d does not answer: %s" % (index, said(nvml, code))
    memory = Memory()
    code = nvml.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory))
    if code == GPU_IS_LOST:
        return "GPU %d does not answer: %s" % (index, said(nvml, code))
    mig, pending, errors = ctypes.c_uint(0), ctypes.c_uint(0), ctypes.c_ulonglong(0)
    has_mig = not call(nvml, "nvmlDeviceGetMigMode", handle, ctypes.byref(mig), ctypes.byref(pending))
    has_ecc = not call(nvml, "nvmlDeviceGetTotalEccErrors", handle, ctypes.c_int(1), ctypes.c_int(0), ctypes.byref(errors))
    return Card(
        text(nvml, "nvmlDeviceGetName", handle),
        text(nvml, "nvmlDeviceGetUUID", handle),
        memory.total // 1048576,
        memory.free // 1048576,
        bool(mig.value) if has_mig else None,
        errors.value if has_ecc else None,
    )


def call(nvml, name, *words):
    """The function's code; as if not supported where this driver does not have it."""
    function = getattr(nvml, name, None)
    return 3 if function is None else function(*words)


def text(nvml, name, *words):
    room = ctypes.create_string_buffer(96)
    code = call(nvml, name, *words, room, ctypes.c_uint(96))
    return "" if code else room.value.decode("utf-8", "replace")


def said(nvml, code):
    nvml.nvmlErrorString.restype = ctypes.c_char_p
    return nvml.nvmlErrorString(code).decode("utf-8", "replace")
