import { json } from "@sveltejs/kit";

export const POST = async ({ params, request }) =>
  json({ framework: "sveltekit", id: params.id, order: await request.json() });
