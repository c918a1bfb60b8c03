"""The digits as tensors: 1797 images of 8×8 pixels, split into a training and a test set."""

import csv
import gzip
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

TEST_IMAGES = 360  # the last ones in the file, so that every run is judged by the same images


class Digits(Dataset):
    """Item i is (image, digit): float32 of shape (1, 8, 8) between 0 and 1, and an int. shift: move images by up to a pixel."""

    def __init__(self, folder, train, shift=False):
        with gzip.open(Path(folder) / "digits.csv.gz", "rt", newline="") as file:
            rows = np.array([[float(cell) for cell in row] for row in csv.reader(file)], dtype=np.float32)
        rows = rows[:-TEST_IMAGES] if train else rows[-TEST_IMAGES:]
        self.images = torch.from_numpy(rows[:, :64].reshape(-1, 1, 8, 8) / 16.0)
        self.digits = [int(digit) for digit in rows[:, 64]]
        self.shift = shift

    def __len__(self):
        return len(self.digits)

    def __getitem__(self, index):
        image = self.images[index]
        if self.shift:
            down, right = torch.randint(-1, 2, (2,)).tolist()
            image = torch.roll(image, (down, right), dims=(1, 2))
        return image, self.digits[index]
