export const POST = async ({ params, request }) => ({
  framework: "solid-start",
  id: params.id,
  order: await request.json(),
});
