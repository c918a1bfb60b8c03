from pathlib import Path

import pytest
import torch

from data import TEST_IMAGES, Digits
from model import Net

FOLDER = Path(__file__).resolve().parents[1] / "dataset"


@pytest.fixture(scope="module")
def test_set():
    return Digits(FOLDER, train=False)


def test_the_sets_have_the_sizes_of_the_file(test_set):
    assert len(test_set) == TEST_IMAGES
    assert len(Digits(FOLDER, train=True)) == 1797 - TEST_IMAGES


def test_an_item_is_an_image_and_its_digit(test_set):
    image, digit = test_set[0]
    assert image.shape == (1, 8, 8)
    assert image.dtype == torch.float32
    assert 0.0 <= image.min() < image.max() <= 1.0
    assert digit in range(10)


def test_every_digit_occurs(test_set):
    assert set(test_set.digits) == set(range(10))


def test_the_network_gives_a_score_for_each_digit():
    assert Net()(torch.zeros(3, 1, 8, 8)).shape == (3, 10)


def test_the_network_can_learn_a_few_images_by_heart(test_set):
    torch.manual_seed(0)
    images = torch.stack([test_set[i][0] for i in range(32)])
    digits = torch.tensor(test_set.digits[:32])
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(model(images), digits)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    assert (model(images).argmax(1) == digits).all()
