"""What cards can do by their makers' data sheets, to tell a slow link or a throttled card from a sound one.

Memory bandwidth in GB/s; dense matrix products in TFLOP/s, bfloat16 with float32 sums (float16 on cards before Ampere).
`seen` is what a sound card of this kind was measured at: a copy within its memory, bytes read and written counted, and an
8192-cubed bfloat16 product through torch 2.11 on random data (H100 and H200: 2026-11).
"""

import re


class Figures:
    def __init__(self, pattern, bandwidth, tflops, seen=None):
        self.pattern = re.compile(pattern)
        self.bandwidth = bandwidth
        self.tflops = tflops
        self.seen = seen


# the more special name first: an A100 80GB is also an A100
CARDS = (
    Figures(r"B300", 8000, 2250),
    Figures(r"\bG?B200", 8000, 2250),
    Figures(r"GH200.*144G", 4900, 989),
    Figures(r"GH200", 4000, 989),
    Figures(r"H200 NVL", 4800, 835),
    Figures(r"H200", 4800, 989, (4300, 788)),
    Figures(r"H100 NVL", 3900, 835),
    Figures(r"H100 PCIe", 2000, 756),
    Figures(r"H100", 3350, 989, (3000, 798)),
    Figures(r"H20\b", 4000, 148),
    Figures(r"H800", 3350, 989),
    Figures(r"A100.*80GB PCIe", 1935, 312),
    Figures(r"A100.*80GB", 2039, 312),
    Figures(r"A100|A800", 1555, 312),
    Figures(r"A30\b", 933, 165),
    Figures(r"A40\b", 696, 150),
    Figures(r"A10G\b", 600, 70),
    Figures(r"A10\b", 600, 125),
    Figures(r"L40S\b", 864, 362),
    Figures(r"L40\b", 864, 181),
    Figures(r"L4\b", 300, 121),
    Figures(r"T4\b", 320, 65),
    Figures(r"V100.*PCIE", 900, 112),
    Figures(r"V100", 900, 125),
    Figures(r"P100", 732, 18.7),
    Figures(r"RTX PRO 6000 Blackwell", 1792, 500),
    Figures(r"RTX 6000 Ada", 960, 364),
    Figures(r"RTX A6000", 768, 155),
    Figures(r"RTX A5000", 768, 111),
    Figures(r"RTX 5090", 1792, 209),
    Figures(r"RTX 5080", 960, 113),
    Figures(r"RTX 4090 Laptop", 576, 82),
    Figures(r"RTX 4090", 1008, 165),
    Figures(r"RTX 4080", 717, 97),
    Figures(r"RTX 4070 Ti", 504, 80),
    Figures(r"RTX 3090", 936, 71),
    Figures(r"RTX 3080", 760, 59),
    Figures(r"RTX 2080 Ti", 616, 54),
    Figures(r"MI355X", 8000, 2500),
    Figures(r"MI325X", 6000, 1307),
    Figures(r"MI300X", 5300, 1307),
    Figures(r"MI250X", 1638, 191),  # torch sees each of its two chips as a device
    Figures(r"MI210", 1638, 181),
    Figures(r"MI100", 1229, 92),
)

FLOOR = 0.25  # of the data sheet's figure; below it something is wrong, above it much may be


def figures(name):
    """The Figures of a card by its name; None for one that is not in the table, and for a slice, which is a part of one."""
    if "MIG" in name:
        return None
    return next((card for card in CARDS if card.pattern.search(name)), None)
