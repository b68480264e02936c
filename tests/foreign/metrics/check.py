"""Reads a scrape with the OpenMetrics parser of Prometheus' own Python client, which is strict."""

import os
import re
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families

# https://prometheus.io/docs/practices/naming/
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
UNITS = ("seconds", "bytes")
NOT_BASE_UNITS = ("milliseconds", "microseconds", "nanoseconds", "minutes", "hours", "days", "kilobytes", "megabytes")

with urllib.request.urlopen(os.environ["CLAVIGER_METRICS_URL"], timeout=10) as response:
    assert response.status == 200
    assert response.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    text = response.read().decode()

families = list(text_string_to_metric_families(text))
assert len(families) > 40, [family.name for family in families]
assert len({family.name for family in families}) == len(families)
for family in families:
    assert NAME.fullmatch(family.name), family.name
    assert family.documentation.endswith("."), family.documentation
    assert family.type in ("counter", "gauge", "histogram", "info"), family
    assert not family.name.endswith(NOT_BASE_UNITS), family.name
    if family.name.endswith(UNITS):
        assert family.name.endswith(f"_{family.unit}"), family
    for sample in family.samples:
        for label in sample.labels:
            assert label == "le" or NAME.fullmatch(label), label
    print(f"{family.type} {family.name}: {len(family.samples)} samples")

by_name = {family.name: family for family in families}
requests = by_name["http_server_request_duration_seconds"]
counts = [sample for sample in requests.samples if sample.name.endswith("_count")]
assert any(sample.labels["http_route"] == "/v1/orgs/{org}/keys" and sample.value >= 1 for sample in counts), counts
assert by_name["claviger_build"].samples[0].value == 1
