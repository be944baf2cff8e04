"""The roles that evaluated sets have in an experiment.

id, near, far, synthetic, shift, corruption, ambiguous, path (images between ID and elsewhere),
attack (images moved against the model), outlier (auxiliary, no test).
"""

from __future__ import annotations

OOD = ("near", "far", "synthetic")
# Keys of an experiment in the configuration that list test sets, and the role of these.
TEST_SETS = {**{role: role for role in OOD}, "shifts": "shift", "ambiguous": "ambiguous"}


def is_spared(role: str, split: str) -> bool:
    """Whether a set is spared everything costly.

    So are the training images, and sets that only ask whether an answer is right.

    >>> is_spared("near", "test"), is_spared("id", "train")
    (False, True)
    """
    return role in ("shift", "corruption", "path", "attack") or (role, split) == ("id", "train")
