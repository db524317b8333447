"""A browser as far as linking needs one: it keeps cookies, says where a form comes from, follows a page onward."""

import html
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp


@dataclass(frozen=True)
class Shown:
    """What a browser shows: the page's status, text, headers and address."""

    status: int
    text: str
    headers: dict[str, str]
    address: str

    @property
    def onward(self) -> str:
        """Where the page itself leads on."""
        return html.unescape(re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', self.text)[0])

    @property
    def code(self) -> str:
        """The code that the page shows."""
        return str(re.findall(r'class="code">([^<]+)<', self.text)[0])


class Browser:
    """Somebody's browser, with cookies of its own."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def open(self, address: str, *, follow: bool = True, method: str = "GET") -> Shown:
        """Open an address."""
        return await self._shown(method, address, {}, follow)

    async def send(self, address: str, origin: str | None = "") -> Shown:
        """Send the form of the page at an address; `origin` is another page's, None for one that isn't told."""
        where = urlsplit(address)
        origin = f"{where.scheme}://{where.netloc}" if origin == "" else origin
        return await self._shown("POST", address, {"Origin": origin} if origin else {}, True)

    async def to_microsoft(self, address: str) -> str:
        """Open a link from chat and go on to Microsoft; return the address that Microsoft leads back to."""
        went = await self.send((await self.open(address)).address)
        return await self.through_microsoft(went.onward)

    async def through_microsoft(self, onward: str) -> str:
        """Sign in; return the address that Microsoft leads back to."""
        return (await self.open(onward, follow=False)).headers["Location"]

    async def sign_in(self, address: str) -> Shown:
        """Open a link from chat, sign in, and come back: the page that shows the code, or says what went wrong."""
        return await self.open(await self.to_microsoft(address))

    async def _shown(self, method: str, address: str, headers: dict[str, str], follow: bool) -> Shown:
        async with self.session.request(method, address, headers=headers, allow_redirects=follow) as answer:
            return Shown(answer.status, await answer.text(), dict(answer.headers), str(answer.url))
