const Database = require("better-sqlite3");

exports.handler = async ({ name }) => {
  const database = new Database("/tmp/names.db");
  database.exec("create table if not exists names (name text)");
  database.prepare("insert into names values (?)").run(name);
  return database.prepare("select count(*) as names, max(name) as last from names").get();
};
