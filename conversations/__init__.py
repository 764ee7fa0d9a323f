"""The chat."""

from __future__ import annotations

import os

# Set before numpy is first imported. A BLAS thread for each core makes the Guide's small products four
# times slower on a busy machine, and tokenizer threads do not survive a fork.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
