import asyncio, os, signal
from collections import Counter
from tests.component.ingest_pod import *
async def test_window(kafka_settings):
    await make_topics(kafka_settings)
    async with pod(kafka_settings, workers="2") as p:
        await p.until_ready(2)
        for _ in range(3):
            n=Counter(); done=False
            async def load():
                while not done:
                    try: n[(await p.server.post()).status]+=1
                    except (ConnectionError, asyncio.IncompleteReadError): n["err"]+=1
            async with asyncio.TaskGroup() as t:
                for _ in range(4): t.create_task(load())
                await asyncio.sleep(1); os.kill(p.children()[0],9); await asyncio.sleep(5); done=True
            print(n)
        print([ (e["event"],e["timestamp"][14:26], e.get("process")) for e in p.log if e.get("event") in ("listening","connected","process ended, is started again")])
