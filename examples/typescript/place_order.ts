import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

const api = createClient<paths>({
  baseUrl: process.argv[2],
  headers: { authorization: `Bearer ${process.env.HOLDFAST_KEY}` },
});

function told<T>(answer: { data?: T; error?: components["schemas"]["Problem"] }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

const placed = told(
  await api.POST("/v1/orders", {
    params: { header: { "Idempotency-Key": "basket-1", Prefer: "wait=15" } },
    body: { customer_id: "c-17", lines: [{ product_id: "LAMP", quantity: 2 }] },
  }),
);
const order = told(
  await api.GET("/v1/orders/{order_id}", { params: { path: { order_id: placed.order_id } } }),
);
const refused = await api.POST("/v1/orders", { body: { customer_id: "c-17", lines: [] } });
console.log(
  JSON.stringify({
    status: order.status,
    total: order.total?.amount,
    quantity: order.lines[0]?.quantity,
    refused: refused.error?.errors?.[0]?.pointer,
  }),
);
