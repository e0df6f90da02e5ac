const express = require("express");

const app = express();
app.use(express.json());
app.post("/orders/:id", (request, response) => {
  response.json({ framework: "express", path: request.path });
});

module.exports = app;
