import { z } from "zod";

const Order = z.object({ count: z.number().int().positive() });

export const handler = async (event: { rawPath: string; body: string }) => ({
  statusCode: 200,
  body: JSON.stringify({ framework: "esbuild", path: event.rawPath, order: Order.parse(JSON.parse(event.body)) }),
});
