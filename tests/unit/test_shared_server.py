"""How services are served: what is seen by the server that would run, in a process of its own."""

import json
import subprocess
import sys

_SCRIPT = """
import json, resource, uvicorn
from shared.server import serve
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, most), most))
uvicorn.run = lambda app, **given: print(json.dumps([given["timeout_keep_alive"], most,
                                                     resource.getrlimit(resource.RLIMIT_NOFILE)]))
serve(lambda *_: None, host="127.0.0.1", port=0)
"""


def test_as_many_connections_as_the_system_allows_are_kept_longer_than_proxies_and_people_do() -> None:
    """Proxies: 60 s; whoever waits asks again after 66 at most."""
    told = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    kept_s, most, allowed = json.loads(told.stdout)
    assert kept_s > 66
    assert allowed == [most, most]
