"""Mistakes at the top level and under the shorter keys: one line that says where and what."""

import pytest

from tests.study.mistakes import assert_refused, drop, put

MISTAKES = [
    (put("seeds", ["a"]), "seeds[0]: found 'a'; expected an integer (a seed)"),
    (put("seeds", []), "seeds: is empty; add at least one entry"),
    (put("seeds", [1, 1]), "seeds: lists 1 twice; list it once"),
    (put("seeds", [-1]), "seeds[0]: found -1; expected at least 0"),
    (put("seed", [1]), "(top level): unknown name 'seed'; did you mean 'seeds'?"),
    (put("study", "a/b"), "study: found 'a/b'; expected lower-case letters"),
    (drop("study"), "(top level): the key 'study' is missing (name of the study"),
    (
        put("compute", {"device": "gpu"}),
        "compute.device: found 'gpu'; expected auto (CUDA if there is one), cpu, cuda or cuda:N",
    ),
    (
        put("compute", {"precision": "half"}),
        "compute.precision: found 'half'; expected auto, float32 or bfloat16",
    ),
    (put("measures", {"ood_ratio": 0}), "measures.ood_ratio: found 0; expected more than 0"),
    (put("measures", {"target_risk": 2}), "measures.target_risk: found 2; expected at most 1"),
    (
        put("measures", {"drift_onset": 2000}),
        "measures.drift_onset: found 2000; expected less than 2000, the images in a stream",
    ),
    (
        put("screen", {"a": {"images": "x", "run": "digits/wrn/baseline/seed9"}}),
        "screen.a.run: unknown name 'digits/wrn/baseline/seed9'",
    ),
    (
        put("screen", {"a": {"images": "x", "run": "digits/wrn/baseline/seed0", "promise": "no"}}),
        "screen.a.promise: unknown name 'no'",
    ),
    (
        put("screen", {"a": {"images": "-x", "run": "digits/wrn/baseline/seed0"}}),
        "screen.a.images: found '-x'; expected folder or file",
    ),
    (
        put("measures", {"post_hoc": ["temprature"]}),
        "measures.post_hoc[0]: unknown name 'temprature'; did you mean 'temperature'?",
    ),
    (
        put("measures", {"metrics": ["ece"]}),
        "measures.metrics[0]: unknown name 'ece'. Known names: correctness_brier",
    ),
    (
        put("promises", {"a": {"confidence": 0.9}}),
        "promises.a: promises neither reject nor error; use one",
    ),
    (
        put("promises", {"a": {"reject": 0.1, "error": 0.1}}),
        "promises.a: promises both reject and error; use one",
    ),
    (
        put("promises", {"a": {"reject": 0.1, "ood_rate": 0.1}}),
        "promises.a.ood_rate: applies to error only; remove it",
    ),
    (put("promises", {"a": {"reject": 1}}), "promises.a.reject: found 1; expected less than 1"),
    (
        put("seeds", [3]),
        "models.wrn.scores[32]: ensemble_msp combines all seeds, so it needs at least two",
    ),
    (
        put("measures", {"ood_rates": [1]}),
        "measures.ood_rates[0]: found 1; expected less than 1 (a share)",
    ),
    (
        put("limits", {"a": {"b": "digits/wrn/oe_tun"}}),
        "limits.a.b: unknown name 'oe_tun'; did you mean 'oe_tune'?",
    ),
    (
        put("limits", {"a": {"b": "digits/wrn"}}),
        "limits.a.b: found 'digits/wrn'; expected in_dist/model/training",
    ),
    (
        put("limits", {"a": {0.1: "digits/wrn/oe_tune"}}),
        "limits.a: found 0.1; expected text (text: a number in quotes)",
    ),
    (put("figures", ["rocs"]), "figures[0]: unknown name 'rocs'; did you mean 'roc'?"),
]


@pytest.mark.parametrize("change, message", MISTAKES, ids=[message for _, message in MISTAKES])
def test_mistake(change, message):
    assert_refused(change, message)
