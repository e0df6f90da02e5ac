export default defineEventHandler(async (event) => ({
  framework: "nuxt",
  id: getRouterParam(event, "id"),
  order: await readBody(event),
}));
