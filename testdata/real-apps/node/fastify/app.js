const fastify = require("fastify");

module.exports = () => {
  const app = fastify();
  app.post("/orders/:id", async (request) => ({ framework: "fastify", path: request.url }));
  return app;
};
