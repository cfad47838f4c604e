"""A gateway process that has just begun: its first answer is as good as any other."""

from __future__ import annotations

import httpx
import psutil

from tests.e2e.gateway.conftest import FUNCTIONS
from tests.support.gateway_process import running_gateway
from tests.support.redis_server import own_redis


def test_the_first_answer_of_a_gateway_process_knows_the_functions(tmp_path):
    with own_redis(tmp_path) as url, running_gateway(url) as gateway:
        gateway.publish(*FUNCTIONS)
        answers = []
        for _ in range(3):
            [serving] = psutil.Process(gateway.pid).children()
            serving.kill()
            psutil.wait_procs([serving], timeout=5)
            answers.append(httpx.get(f"{gateway.url}/functions", timeout=30))

    assert [answer.status_code for answer in answers] == [200] * 3
