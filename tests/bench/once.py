"""A minimal script that makes one call: `once.py NAME BASE_URL CA_FILE BUNDLE`.

With the NAME "nothing" it makes no call. It prints its peak memory in KiB. This is VmHWM, because a process inherits
ru_maxrss from the process that started it.
"""

from __future__ import annotations

import sys

from contestants import ASYNC, BLOCKING, Service, nothing

name, base_url, ca_file, bundle = sys.argv[1:]
service = Service(base_url, ca_file, bundle)
if name in ASYNC:
    import asyncio

    async def main() -> None:
        contestant = ASYNC[name](service)
        call = await anext(contestant)
        await call()
        await contestant.aclose()

    asyncio.run(main())
else:
    contestant = BLOCKING.get(name, nothing)(service)
    next(contestant)()
    contestant.close()
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM:")), flush=True)
