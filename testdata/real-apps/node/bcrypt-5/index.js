const bcrypt = require("bcrypt");

exports.handler = async ({ password }) => {
  const hash = await bcrypt.hash(password, 4);
  return { matches: await bcrypt.compare(password, hash), other: await bcrypt.compare("other", hash) };
};
