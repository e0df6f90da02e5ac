const { greet } = require("@acme/greeting");
const { nanoid } = require("nanoid");

exports.handler = async ({ name }) => ({ greeting: greet(name), length: nanoid().length });
