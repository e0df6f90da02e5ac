export const action = async ({ params, request }) => ({
  framework: "react-router",
  id: params.id,
  order: await request.json(),
});

export default function Order({ actionData }) {
  return <p>{JSON.stringify(actionData)}</p>;
}
