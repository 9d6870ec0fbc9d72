"""A training without its export, as a program: one of several ranks. usage: python rank.py JOB.json"""

import sys

import leaf.train
from leaf.entry import main

leaf.train._finish = lambda *_: None  # type: ignore[assignment]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], 1))
