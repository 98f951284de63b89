"""design.json holds the whole design with its wording; results.json the whole analysis."""

from __future__ import annotations

import json

from lab.rating.design import stored
from lab.rating.files.design_file import design_json, results, results_json, software_versions
from tests.rating.files.made import made


def test_the_design_comes_back_as_the_same_spec_with_its_hash_and_wording():
    contents = made()
    told = json.loads(design_json(contents))
    spec = stored(told["design"])
    assert spec.sha() == told["design_sha"] and spec.consent and len(spec.anchors) == 5
    assert told["excluded"]["by_model"] and told["software"]["numpy"] == software_versions()["numpy"]


def test_results_are_json_without_nan():
    text = results_json(results(made()))
    assert json.loads(text, parse_constant=lambda name: 1 / 0)["counts"]["n_ratings"] == 12
