export async function POST(request, { params }) {
  const { id } = await params;
  return Response.json({ framework: "next", id, order: await request.json() });
}
