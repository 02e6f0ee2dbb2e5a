"""The lab's own tests of mapping, headers, redirects, cookies, uploads, WebSocket and allow-list, on every Debian.

What holds on the nginx that is developed on may fail on an older or newer one; a test added there counts here too.
"""

from ..lab.test_allowlist import *  # noqa: F403
from ..lab.test_answers import *  # noqa: F403
from ..lab.test_large_requests import *  # noqa: F403
from ..lab.test_mapping import *  # noqa: F403
from ..lab.test_requests import *  # noqa: F403
