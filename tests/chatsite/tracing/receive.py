"""python -m tests.chatsite.tracing.receive PORT: prints each span that oteltap receives as a JSON line."""

from __future__ import annotations

import asyncio
import json
import sys

from google.protobuf.json_format import MessageToDict
from oteltap import OtelTapHttpProtobufReceiver, OtelTapHttpProtobufReceiverSettings


async def main(port: int) -> None:
    settings = OtelTapHttpProtobufReceiverSettings(http_port=port)
    async with OtelTapHttpProtobufReceiver(settings) as tap:
        async for span in tap.stream_traces():
            print(json.dumps(MessageToDict(span)), flush=True)  # noqa: T201


asyncio.run(main(int(sys.argv[1])))
