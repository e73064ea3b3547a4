"""A script that makes one call, as short as a script can be: `once.py NAME BASE_URL CA_FILE BUNDLE`.

NAME may be "nothing", which makes none. Prints its peak memory in KiB: VmHWM, because ru_maxrss is inherited from the
process that started this one.
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
