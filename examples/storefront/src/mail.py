"""Mail: written into a queue by whoever has something to say, and handed to the mail service by the consumer."""

import json

from workers import fetch


async def deliver(env, messages):
    for message in messages:
        mail = message.body
        response = await fetch(
            f"{env.MAIL_API}/send",
            method="POST",
            # A message may come twice; the mail service knows the second one by its key.
            headers={"content-type": "application/json", "idempotency-key": mail["key"]},
            body=json.dumps({"to": mail["to"], "text": mail["text"]}),
        )
        if response.status < 400:
            message.ack()
        else:
            message.retry(delaySeconds=30)


async def keep_undelivered(env, messages):
    insert = env.DB.prepare("INSERT OR IGNORE INTO undelivered (key, recipient, text) VALUES (?, ?, ?)")
    await env.DB.batch([insert.bind(m.body["key"], m.body["to"], m.body["text"]) for m in messages])
