"""A plugin: the tests in an order of chance, the same in every process."""

import os
import random


def pytest_collection_modifyitems(items):
    random.Random(os.environ["SHUFFLED"]).shuffle(items)
