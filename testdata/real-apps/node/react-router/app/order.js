export const action = async ({ params, request }) =>
  Response.json({ framework: "react-router", id: params.id, order: await request.json() });
