"""The shop's HTTP interface."""

import json
from typing import Annotated

import asgi
from fastapi import FastAPI, HTTPException, Response
from pydantic import BaseModel, Field
from pyodide.ffi import JsException

app = FastAPI()

PRODUCTS = "products"
"""The key of the cached list of products, which may be a minute old."""


Env = Annotated[object, asgi.env]
"""The Worker's bindings, as the platform's `asgi` gives them to FastAPI."""


class Quantity(BaseModel):
    quantity: int = Field(ge=0, le=100)


class Checkout(BaseModel):
    card: str


@app.get("/products")
async def list_products(env: Env):
    cached = await env.CACHE.get(PRODUCTS, "json")
    if cached is not None:
        return cached
    found = await env.DB.prepare("SELECT sku, name, price, stock FROM products ORDER BY sku").all()
    # camelCase: the SDK hands options on as they are, and JavaScript would ignore `expiration_ttl`.
    await env.CACHE.put(PRODUCTS, json.dumps(found.results), expirationTtl=60)
    return found.results


@app.put("/baskets/{customer}/{sku}")
async def put_into_basket(customer: str, sku: str, wanted: Quantity, env: Env):
    return await env.BASKETS.getByName(customer).put_item(sku, wanted.quantity)


@app.get("/baskets/{customer}")
async def show_basket(customer: str, env: Env):
    return await env.BASKETS.getByName(customer).items()


@app.post("/baskets/{customer}/checkout", status_code=202)
async def check_out(customer: str, checkout: Checkout, env: Env):
    basket = env.BASKETS.getByName(customer)
    items = await basket.items()
    if not items:
        raise HTTPException(409, "The basket is empty.")
    number = await basket.next_order()
    new_order = env.DB.prepare("INSERT INTO orders (number, customer) VALUES (?, ?)").bind(number, customer)
    new_line = env.DB.prepare("INSERT INTO lines (number, sku, quantity) VALUES (?, ?, ?)")
    lines = [new_line.bind(number, sku, quantity) for sku, quantity in items.items()]
    try:
        await env.DB.batch([new_order, *lines])  # one transaction: all of it or nothing
    except JsException as error:
        if "FOREIGN KEY" not in str(error):
            raise
        raise HTTPException(404, "There is no such product any more.") from None
    await env.ORDERS.create({"id": number, "params": {"customer": customer, "card": checkout.card}})
    await basket.empty()
    return {"number": number}


@app.get("/orders/{number}")
async def show_order(number: str, env: Env):
    order = await env.DB.prepare("SELECT number, status FROM orders WHERE number = ?").bind(number).first()
    if order is None:
        raise HTTPException(404, "There is no such order.")
    return order


@app.get("/orders/{number}/invoice")
async def show_invoice(number: str, env: Env):
    file = await env.FILES.get(f"invoices/{number}.txt")
    if file is None:
        raise HTTPException(404, "There is no invoice yet.")
    return Response(await file.text(), media_type=file.httpMetadata.contentType)
