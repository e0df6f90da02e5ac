export const POST = async ({ params, request }) =>
  Response.json({ framework: "astro", id: params.id, order: await request.json() });
