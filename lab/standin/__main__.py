"""`python3 -m standin CERTIFICATES DEFAULT_NAME`: per name a directory with fullchain.pem and privkey.pem."""

import asyncio
import sys
from pathlib import Path

from .server import StandIn

if __name__ == "__main__":
    asyncio.run(StandIn(Path(sys.argv[1]), sys.argv[2]).serve())
