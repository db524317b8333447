"""What Deputy is measured against: a handler that starts a script and answers with what it printed."""

import asyncio
import sys
from asyncio.subprocess import PIPE

from aiohttp import web


def main(port: int, script: str) -> None:
    """Listen on loopback; every POST runs the script once."""

    async def run(request: web.Request) -> web.Response:
        await request.read()
        process = await asyncio.create_subprocess_exec("/bin/bash", script, stdout=PIPE)
        output, _ = await process.communicate()
        return web.Response(body=output)

    async def health(request: web.Request) -> web.Response:
        return web.Response(text="ok")

    site = web.Application()
    site.add_routes([web.post("/run", run), web.get("/healthz", health)])
    web.run_app(site, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
