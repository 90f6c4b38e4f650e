"""A thousand random traces of fifty thousand events through the queue, on all cores: the properties of tests/simulation."""

import os
import subprocess

import pytest

from world import OUTLAST

TRACES = int(os.environ.get("SOAK_TRACES", "1000"))
BINARY = os.path.join(os.path.dirname(OUTLAST), "tests", "simulation", "test_simulation_traces")


@pytest.mark.skipif("PATIENCE" in os.environ, reason="with a sanitizer the short run has to do")
def test_thousand_traces():
    parts = os.cpu_count() or 1
    share = -(-TRACES // parts)
    runs = [subprocess.Popen([BINARY], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             env=dict(os.environ, OUTLAST_TRACES=f"{i * share + 1}-{(i + 1) * share}"))
            for i in range(parts)]
    outputs = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0] * parts, outputs
