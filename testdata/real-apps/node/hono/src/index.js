import { Hono } from "hono";
import { handle } from "hono/aws-lambda";

const app = new Hono();
app.post("/orders/:id", (context) => context.json({ framework: "hono", path: context.req.path }));

export const handler = handle(app);
